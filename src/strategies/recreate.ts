import type { Operation } from '../operations/operation.js';
import { formatDuration } from '../model/units.js';
import { begin, beginUndo, endUndo, letGo } from './phases.js';
import { stopFirst } from './stop-first.js';
import type { Change, Strategy, UndoChange } from './strategy.js';
import { undoStopFirst } from './undo-stop-first.js';

/**
 * Stop the old containers, start the new ones: what `docker compose up -d` does, with everything around it that it lacks.
 * Between stop and start nothing serves; the plan says so. Recreating cannot be made faster than Compose does it
 * (stop about 0.2 s, start about 0.25 s, then the service's own boot), so Compose does it.
 */
export const recreate: Strategy = {
  name: 'recreate',

  plan(change: Change) {
    const { service, wanted, current } = change;
    if (change.replicas === 0)
      return { operations: withoutContainers(change), notes: [], estimatedDowntimeMs: undefined };
    // The edge has the ports: a container that Compose makes would want them as well.
    if (change.traffic.router.kind === 'edge') {
      return { operations: stopFirst(change, false), notes: notes(change), estimatedDowntimeMs: estimate(change) };
    }
    const operations: Operation[] = [...begin(change)];
    operations.push(
      {
        kind: 'replace-containers',
        service,
        to: wanted,
        from: current?.id,
        replicas: change.replicas,
        force: change.observed.length > 0,
      },
      { kind: 'await-ready', service, release: wanted, timeoutMs: change.readinessTimeoutMs },
      ...letGo(service, change.traffic.router),
      { kind: 'verify', service, release: wanted, checks: change.checks },
      { kind: 'watch', service, release: wanted, durationMs: change.watchMs },
      { kind: 'accept-release', service, release: wanted },
      { kind: 'capture-evidence', service, moment: 'after' },
    );
    return { operations, notes: notes(change), estimatedDowntimeMs: estimate(change) };
  },

  undo(change: UndoChange) {
    const { service, back, replicas } = change;
    if (change.router.kind === 'edge' && replicas > 0) return undoStopFirst(change, false);
    const replace: Operation = {
      kind: 'replace-containers',
      service,
      to: back,
      from: change.failed,
      replicas,
      force: true,
    };
    if (replicas === 0) return [...beginUndo(change), replace, ...endUndo(change)];
    const operations: Operation[] = [...beginUndo(change)];
    operations.push(
      ...putBack(change),
      { kind: 'await-ready', service, release: back, timeoutMs: change.readinessTimeoutMs },
      ...letGo(service, change.router),
      ...endUndo(change),
    );
    return operations;
  },
};

/** Nothing of it is to run: a service with zero replicas, or the job of an earlier release that is not run again. */
function withoutContainers(change: Change): readonly Operation[] {
  const { service, wanted, current, checks } = change;
  return [
    ...begin(change),
    { kind: 'replace-containers', service, to: wanted, from: current?.id, replicas: 0, force: true },
    { kind: 'verify', service, release: wanted, checks },
    { kind: 'accept-release', service, release: wanted },
    { kind: 'capture-evidence', service, moment: 'after' },
  ];
}

/**
 * Where the change failed before Compose stopped anything, the containers of before still run: only what was made beside
 * them goes, and nothing stops.
 */
function putBack({ service, back, failed, replicas, present }: UndoChange): readonly Operation[] {
  const intact = present.filter(({ good, running }) => good && running);
  if (intact.length !== replicas) {
    return [{ kind: 'replace-containers', service, to: back, from: failed, replicas, force: true }];
  }
  const wrong = present.filter((container) => !intact.includes(container)).map(({ id }) => id);
  if (wrong.length === 0) return [];
  return [{ kind: 'retire-containers', service, containers: { are: 'these', containers: wrong } }];
}

function notes(change: Change): readonly string[] {
  if (change.current === undefined) {
    return ['Nothing runs yet: this is the first deploy, and there is no release to go back to if it fails.'];
  }
  const known =
    change.knownRestartMs === undefined
      ? 'about half a second and the service’s own start'
      : `about ${formatDuration(change.knownRestartMs)}, as measured at the change before`;
  return [
    `recreate: the old container stops before the new one starts, so requests fail for ${known}.`,
    'If this process dies between stop and start, the service is down until post or the next run repairs it.',
  ];
}

/** Half a second is Compose's own share of a recreate (measured on Engine 26.1: 0.45 s), without the service's boot. */
function estimate(change: Change): number | undefined {
  if (change.current === undefined) return 0;
  return change.knownRestartMs;
}
