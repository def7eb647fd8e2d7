import type { Clock } from '../../../src/model/ports/clock.js';

export interface MemoryClock extends Clock {
  /** Lets `ms` milliseconds pass: what becomes due wakes in order, each at its own time. */
  advance(ms: number): Promise<void>;
  /** @returns how many sleepers and deadlines lie ahead */
  ahead(): number;
}

export interface MemoryClockOptions {
  /** The first `now`, in milliseconds since the epoch. */
  readonly startsAt?: number;
  /** The first `monotonic`, in milliseconds: another number than `now`, so that code which mixes the two is seen. */
  readonly monotonicFrom?: number;
  /**
   * Jumps to the next sleeper or deadline as soon as nobody else runs. Files and children of this process count as running;
   * sockets do not: a test that asks a server uses the real clock.
   */
  readonly automatic?: boolean;
}

/** What happens at a time: a sleeper wakes, or a deadline passes. */
interface Timer {
  readonly at: number;
  readonly fire: () => void;
}

/** Requests of Node that end without the help of time. */
const BUSY: ReadonlySet<string> = new Set([
  'CloseReq',
  'FSReqCallback',
  'FSReqPromise',
  'GetAddrInfoReqWrap',
  'ProcessWrap',
]);

/** Turns of the event loop in which nothing may happen before nobody is taken to be running. */
const QUIET_TURNS = 10;

/** A clock that only passes when it is told to, or when everybody waits for it. */
export function createMemoryClock(options: MemoryClockOptions = {}): MemoryClock {
  const { startsAt = Date.UTC(2026, 0, 5, 12), monotonicFrom = 1_000, automatic = false } = options;
  const timers: Timer[] = [];
  let passed = 0;
  let jumping = false;

  const add = (ms: number, fire: () => void): Timer => {
    const timer: Timer = { at: passed + Math.max(0, ms), fire };
    // Those of the same time stay in the order in which they came.
    const later = timers.findIndex(({ at }) => at > timer.at);
    timers.splice(later === -1 ? timers.length : later, 0, timer);
    if (automatic) void jump();
    else if (timer.at <= passed) setImmediate(() => fireOne(timer));
    return timer;
  };
  const remove = (timer: Timer): boolean => {
    const index = timers.indexOf(timer);
    if (index !== -1) timers.splice(index, 1);
    return index !== -1;
  };
  const fireOne = (timer: Timer): void => {
    if (!remove(timer)) return;
    passed = Math.max(passed, timer.at);
    timer.fire();
  };
  const jump = async (): Promise<void> => {
    if (jumping) return;
    jumping = true;
    while (timers.length > 0) {
      await nobodyRuns();
      const next = timers[0];
      if (next !== undefined) fireOne(next);
    }
    jumping = false;
  };

  return {
    now: () => Math.floor(startsAt + passed),
    monotonic: () => monotonicFrom + passed,
    async sleep(ms, signal) {
      signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          remove(timer);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        const timer = add(ms, wake);
        signal.addEventListener('abort', wake, { once: true });
      });
      signal.throwIfAborted();
    },
    deadline(ms, parent) {
      const late = new AbortController();
      if (parent?.aborted === true) return parent;
      const timer = add(ms, () =>
        late.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError')),
      );
      parent?.addEventListener('abort', () => remove(timer), { once: true });
      return parent === undefined ? late.signal : AbortSignal.any([parent, late.signal]);
    },
    async advance(ms) {
      const until = passed + ms;
      for (;;) {
        await nobodyRuns();
        const next = timers[0];
        if (next === undefined || next.at > until) break;
        fireOne(next);
      }
      passed = Math.max(passed, until);
    },
    ahead: () => timers.length,
  };
}

/** Resolves when whoever was awakened has had its turns, and waits for nothing but time. */
async function nobodyRuns(): Promise<void> {
  for (let quiet = 0; quiet < QUIET_TURNS;) {
    await new Promise((resolve) => setImmediate(resolve));
    quiet = process.getActiveResourcesInfo().some((kind) => BUSY.has(kind)) ? 0 : quiet + 1;
  }
}
