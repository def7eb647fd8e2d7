import type { CanaryPolicy } from './policy.js';

/** What the router counted during one step. */
export interface CanaryFigures {
  readonly new: Figures;
  readonly old: Figures;
}

interface Figures {
  readonly requests: number;
  readonly failures: number;
  /** Milliseconds; undefined before the first answer. */
  readonly averageMs: number | undefined;
}

export type CanaryVerdict =
  | { readonly kind: 'good' }
  | { readonly kind: 'bad'; readonly reason: string }
  | { readonly kind: 'inconclusive'; readonly reason: string };

/** A rate of failures this much above the old one's is a failure of the new release. */
const FAILURE_MARGIN = 0.01;
/** Answers that take this many times as long, and at least so many milliseconds longer, are. */
const SLOWER_FACTOR = 2;
const SLOWER_LEAST_MS = 50;

/** Compares the new release with the one beside it, under the same traffic at the same time. Pure. */
export function judgeCanary({ new: fresh, old }: CanaryFigures, policy: CanaryPolicy): CanaryVerdict {
  const rate = ({ requests, failures }: Figures): number => (requests === 0 ? 0 : failures / requests);
  // One failure of few requests is no rate yet; as many failures as make an answer are.
  const clear = fresh.failures >= 3 || fresh.requests >= policy.minRequests;
  if (clear && fresh.failures > 0 && rate(fresh) > rate(old) + FAILURE_MARGIN) {
    const percent = (value: number): string => `${(value * 100).toFixed(1)} %`;
    return {
      kind: 'bad',
      reason: `${percent(rate(fresh))} of its requests failed, ${percent(rate(old))} of the old one's`,
    };
  }
  if (fresh.requests < policy.minRequests) {
    return { kind: 'inconclusive', reason: `it got ${fresh.requests} requests, fewer than ${policy.minRequests}` };
  }
  if (fresh.averageMs !== undefined && old.averageMs !== undefined) {
    const slower = fresh.averageMs > old.averageMs * SLOWER_FACTOR;
    if (slower && fresh.averageMs - old.averageMs >= SLOWER_LEAST_MS) {
      return {
        kind: 'bad',
        reason: `its answers take ${fresh.averageMs.toFixed(0)} ms on average, the old one's ${old.averageMs.toFixed(0)} ms`,
      };
    }
  }
  return { kind: 'good' };
}
