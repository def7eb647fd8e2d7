import type { Operation } from '../operations/operation.js';
import { ROUTER_ABILITIES } from '../model/router.js';
import { beginUndo, endUndo, letGo, openEdge } from './phases.js';
import type { UndoChange } from './strategy.js';

/**
 * The way back of every strategy that keeps the old running while the new starts: traffic goes to what is good and still
 * runs, at once; what is missing of it is started beside; only then do the failed ones drain and go. Planned from what the
 * engine shows, so it is the same from every point, also for the run after a killed one.
 */
export function undoBeside(change: UndoChange): readonly Operation[] {
  const { service, router, present, replicas } = change;
  const good = present.filter((container) => container.good && container.running).map(({ id }) => id);
  const wrong = present.filter((container) => !good.includes(container.id)).map(({ id }) => id);
  const missing = Math.max(0, replicas - good.length);
  return [
    // Before anything else: this is what ends the harm.
    ...(good.length > 0 ? [serveOnly(change, good)] : []),
    ...beginUndo(change),
    ...(missing === 0 ? [] : startMissing(change, missing, wrong)),
    ...retire(change, wrong),
    ...undoTakeover(change),
    ...(change.containerName === undefined || missing === 0
      ? []
      : [
          {
            kind: 'settle-containers' as const,
            service,
            containerName: change.containerName,
            named: false,
            except: [],
          },
        ]),
    ...letGo(service, router),
    // What was held while nothing served. An edge that a take-over had brought is gone by then, and holds nothing.
    ...(ROUTER_ABILITIES[router.kind].holds && change.takeover?.oldHasPorts !== true
      ? [{ kind: 'release-traffic' as const, service, router }]
      : []),
    ...endUndo(change),
  ];
}

function serveOnly({ service, router }: UndoChange, containers: readonly string[]): Operation {
  return { kind: 'shift-traffic', service, router, serve: { who: 'only', containers } };
}

/** A release whose containers are gone already is started like a new one, and replaces the failed one like a new one. */
function startMissing(change: UndoChange, count: number, wrong: readonly string[]): readonly Operation[] {
  const { service, back, failed, router, present } = change;
  const beside = present.map(({ id }) => id);
  const { ownsName } = ROUTER_ABILITIES[router.kind];
  return [
    { kind: 'start-beside', service, to: back, from: failed, count, beside, published: false, named: false },
    { kind: 'await-ready', service, release: back, timeoutMs: change.readinessTimeoutMs, except: beside },
    ...(ownsName
      ? []
      : [{ kind: 'settle-containers' as const, service, containerName: undefined, named: true, except: beside }]),
    { kind: 'shift-traffic', service, router, serve: { who: 'all-but', containers: wrong } },
  ];
}

function retire({ service, router, drainTimeoutMs }: UndoChange, containers: readonly string[]): readonly Operation[] {
  if (containers.length === 0) return [];
  const set = { are: 'these', containers } as const;
  return [
    { kind: 'drain-containers', service, router, containers: set, timeoutMs: drainTimeoutMs },
    { kind: 'retire-containers', service, containers: set },
  ];
}

/** Before the old container is gone the take-over is taken back whole; after that it is finished. */
export function undoTakeover({ service, takeover, drainTimeoutMs }: UndoChange): readonly Operation[] {
  if (takeover === undefined) return [];
  const { ports, redirected } = takeover;
  if (!takeover.oldHasPorts) return openEdge(service, ports, redirected, drainTimeoutMs);
  return [
    ...(redirected ? [{ kind: 'end-redirect' as const, service, ports }] : []),
    { kind: 'end-takeover', service, timeoutMs: drainTimeoutMs },
    { kind: 'remove-edge', service },
  ];
}
