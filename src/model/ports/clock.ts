/**
 * Time. Everything above the adapters reads, waits and limits through it, so that a test can let hours pass at once.
 * Implemented in `src/host/clock.ts` and nowhere else in `src`.
 */
export interface Clock {
  /** @returns the time of day, in whole milliseconds since the epoch; it may be set back while the process runs */
  now(): number;
  /** @returns milliseconds, with fractions, that only grow; for durations, never as a time of day */
  monotonic(): number;
  /**
   * Keeps the process alive while it sleeps.
   * @param ms milliseconds, at most 24 days
   * @param signal wakes the sleeper at once
   * @throws the signal's reason
   */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /**
   * Limits how long something may take. It does not keep the process alive, so nobody has to end it.
   * @param ms milliseconds, at most 24 days
   * @param parent ends what is limited as well
   * @returns a signal that aborts with a `TimeoutError` after the time, or with the parent's reason
   */
  deadline(ms: number, parent?: AbortSignal): AbortSignal;
}
