import { RUNBOOK } from './policy.js';
import type { SloRecord } from './slo-record.js';
import { formatDuration } from './units.js';

/** So many slow starts in a row before the one at hand are no chance any more. */
export const CONSISTENT_STARTS = 3;

/** What is to be said of how long a service took to start. */
export type StartVerdict =
  | { readonly kind: 'normal' }
  /** Slow, and nothing to worry about. */
  | { readonly kind: 'note'; readonly message: string }
  /** `consistent`: the starts before it were slow as well. */
  | { readonly kind: 'warning'; readonly consistent: boolean; readonly message: string };

/**
 * Runbook, Warning Signs: "Startup >60 seconds | Low | Normal for first start, investigate if consistent". Pure.
 * @param startupMs from the container's start to its readiness, milliseconds
 * @param first whether no release of the service was ever live before
 * @param records of the service, oldest first; the start at hand is not among them
 * @param mostMs longer than this is slow, milliseconds
 */
export function judgeStart(
  startupMs: number,
  first: boolean,
  records: readonly Pick<SloRecord, 'healthyMs'>[],
  mostMs: number = RUNBOOK.slowStartMs,
): StartVerdict {
  if (startupMs <= mostMs) return { kind: 'normal' };
  const took = `it took ${formatDuration(startupMs)} to start`;
  if (first) return { kind: 'note', message: `${took}, which is normal for the first time` };
  const earlier = records.flatMap(({ healthyMs }) => healthyMs ?? []).slice(-CONSISTENT_STARTS);
  if (earlier.length === 0) return { kind: 'warning', consistent: false, message: took };
  const figures = earlier.map(formatDuration).join(', ');
  const consistent = earlier.length === CONSISTENT_STARTS && earlier.every((ms) => ms > mostMs);
  const message = consistent
    ? `${took}, and so did its last ${earlier.length} starts (${figures}): that is consistent`
    : `${took} (before: ${figures})`;
  return { kind: 'warning', consistent, message };
}
