import { formatDuration } from '../model/units.js';
import { stopFirst } from './stop-first.js';
import type { Change, Strategy } from './strategy.js';

/** For what may run only once: the edge keeps requests waiting, within bounds, while the one container is replaced. */
export const hold: Strategy = {
  name: 'hold',

  plan(change: Change) {
    return {
      operations: stopFirst(change, true),
      notes: notes(change),
      estimatedDowntimeMs: change.knownRestartMs,
    };
  },
};

function notes({ hold: { maxMs, maxQueue }, knownRestartMs }: Change): readonly string[] {
  const known = knownRestartMs === undefined ? '' : ` (about ${formatDuration(knownRestartMs)}, as measured before)`;
  return [
    `hold: requests wait while the one container is replaced${known}, at most ${formatDuration(maxMs)} and ${maxQueue} at a time; others get 503 with Retry-After.`,
    'If this process dies between stop and start, nothing serves until post or the next run repairs it; what waits is answered with 503 when its time is over.',
  ];
}
