import type { Operation } from '../operations/operation.js';
import { DEFAULT_HOLD } from '../model/policy.js';
import { beginUndo, endUndo } from './phases.js';
import type { UndoChange } from './strategy.js';
import { undoTakeover } from './undo-beside.js';

/**
 * Where only one may run: the failed one stops before the one of before starts again. When that one is gone, it is made
 * anew in the same order.
 */
export function undoStopFirst(change: UndoChange, holding: boolean): readonly Operation[] {
  const { service, router, present, back, failed, replicas } = change;
  const good = present.filter((container) => container.good).map(({ id }) => id);
  const wrong = present.filter((container) => !container.good).map(({ id }) => id);
  const missing = Math.max(0, replicas - good.length);
  return [
    ...(holding ? [{ kind: 'hold-traffic' as const, service, router, ...DEFAULT_HOLD }] : []),
    ...(wrong.length === 0
      ? []
      : [{ kind: 'retire-containers' as const, service, containers: { are: 'these' as const, containers: wrong } }]),
    ...beginUndo(change),
    ...(good.length === 0 ? [] : [{ kind: 'start-containers' as const, service, containers: good }]),
    ...(missing === 0
      ? []
      : [
          {
            kind: 'start-beside' as const,
            service,
            to: back,
            from: failed,
            count: missing,
            beside: good,
            published: false,
            named: false,
          },
        ]),
    { kind: 'await-ready', service, release: back, timeoutMs: change.readinessTimeoutMs },
    { kind: 'shift-traffic', service, router, serve: { who: 'all-but', containers: [] } },
    // Also when nothing is held: the run that is undone may have been killed while it held.
    { kind: 'release-traffic', service, router },
    ...undoTakeover(change),
    ...(change.containerName === undefined
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
    ...endUndo(change),
  ];
}
