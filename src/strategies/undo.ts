import type { Operation } from '../operations/operation.js';
import { beginUndo, endUndo, letGo } from './phases.js';
import type { UndoChange } from './strategy.js';
import { undoBeside } from './undo-beside.js';
import { undoStopFirst } from './undo-stop-first.js';

/**
 * How the containers of before come back. `compose`: Compose creates them again. `beside`: they still run, or are started beside the
 * failed ones. `stop-first`: only one may run, so the failed one stops first; `hold`: the same while requests wait.
 */
export type Way = 'compose' | 'beside' | 'stop-first' | 'hold';

/** @returns the way back from operations that have begun, whatever strategy they are of and whichever process began them */
export function wayBack(begun: readonly Operation[]): Way {
  const created = begun.findLast(({ kind }) => kind === 'replace-containers' || kind === 'start-beside');
  if (created?.kind === 'replace-containers') return 'compose';
  if (begun.some(({ kind }) => kind === 'hold-traffic')) return 'hold';
  return begun.some(({ kind }) => kind === 'stop-containers') ? 'stop-first' : 'beside';
}

/**
 * The way back to what ran before: the difference between that and what the engine shows now, in an order that fails no request
 * where the way allows it. Pure. It is the same from every point of a change, for the run that fails and for the one that
 * recovers a killed one, and each operation may be repeated.
 */
export function undo(change: UndoChange, way: Way): readonly Operation[] {
  if (change.router.kind === 'edge' && change.replicas > 0) return behindEdge(change, way);
  // Without an edge only Compose gives a container ports of the host, and nothing can hold requests.
  return way === 'beside' && !change.publishes ? undoBeside(change) : undoByCompose(change);
}

function behindEdge(change: UndoChange, way: Way): readonly Operation[] {
  switch (way) {
    case 'beside':
      return undoBeside(change);
    case 'hold':
      return undoStopFirst(change, true);
    // The edge has the ports: a container that Compose creates would want them as well.
    case 'compose':
    case 'stop-first':
      return undoStopFirst(change, false);
  }
}

function undoByCompose(change: UndoChange): readonly Operation[] {
  const { service, back, failed, replicas } = change;
  if (replicas === 0) {
    const none = { kind: 'replace-containers', service, to: back, from: failed, replicas, force: true } as const;
    return [...beginUndo(change), none, ...endUndo(change)];
  }
  return [
    ...beginUndo(change),
    ...putBack(change),
    { kind: 'await-ready', service, release: back, timeoutMs: change.readinessTimeoutMs },
    ...letGo(service, change.router),
    ...endUndo(change),
  ];
}

/**
 * Where the change failed before Compose stopped anything, the containers of before still run: only what was created beside
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
