import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../model/ports/clock.js';

/** Node's timers count in 32 bits: a longer one would be over at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** The clock of the host this process runs on. */
export function createClock(): Clock {
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    async sleep(ms, signal) {
      try {
        await sleep(wholeMs(ms), undefined, { signal });
      } catch (error) {
        signal.throwIfAborted(); // Node throws an AbortError of its own
        throw error;
      }
    },
    deadline(ms, parent) {
      const late = AbortSignal.timeout(wholeMs(ms));
      return parent === undefined ? late : AbortSignal.any([parent, late]);
    },
  };
}

/** Rounded up: Node refuses a fraction in one place and cuts it off in another. */
function wholeMs(ms: number): number {
  return Math.min(LONGEST_MS, Math.max(0, Math.ceil(ms)));
}
