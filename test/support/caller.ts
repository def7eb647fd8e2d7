import { get } from 'node:http';

/** An independent caller: what it saw is compared with what the project reports of itself. */
export interface Caller {
  /** Ends it. */
  stop(): Promise<Called>;
}

export interface Called {
  readonly good: number;
  readonly failed: number;
  /** Longest time between two good answers, in milliseconds. */
  readonly longestGapMs: number;
}

/** Calls a URL every so often, each time over a new connection and whether or not earlier calls have ended. */
export function callEvery(ms: number, url: string): Caller {
  let good = 0;
  let failed = 0;
  let longestGapMs = 0;
  let lastGood: number | undefined;
  const calls = new Set<Promise<void>>();
  const call = (): Promise<void> =>
    new Promise((resolve) => {
      const fail = (): void => {
        failed += 1;
        resolve();
      };
      const request = get(url, { agent: false, timeout: 5_000 }, (response) => {
        response.on('error', fail);
        response.resume().on('end', () => {
          if (response.statusCode !== 200) {
            fail();
            return;
          }
          good += 1;
          const now = performance.now();
          longestGapMs = Math.max(longestGapMs, now - (lastGood ?? now));
          lastGood = now;
          resolve();
        });
      });
      request.on('timeout', () => request.destroy());
      request.on('error', fail);
    });
  const timer = setInterval(() => {
    const called = call().finally(() => calls.delete(called));
    calls.add(called);
  }, ms);
  return {
    stop: async () => {
      clearInterval(timer);
      await Promise.all(calls);
      return { good, failed, longestGapMs };
    },
  };
}
