import type { SloRecord } from './slo-record.js';
import { isGreen } from './outcome.js';
import { RUNBOOK } from './policy.js';
import { formatSize } from './units.js';

/** Fewer runs than this are no baseline. */
const LEAST_RUNS = 3;
/** A service takes somewhat more or less each time. */
const ABOVE = 1.5;
const ABOVE_BYTES = 20e6;

/** What a service should need after a restart, and where that is known from. */
export interface MemoryBaseline {
  /** More than this is above it; bytes. */
  readonly mostBytes: number;
  readonly words: string;
}

/**
 * What the service needed after its green runs (the median of them), or else the runbook's "200-500MB" (Procedure 1,
 * Expected Outcome). Pure.
 * @param records of the service, in any order
 */
export function memoryBaseline(records: readonly SloRecord[]): MemoryBaseline {
  const known = records
    .flatMap(({ outcome, memoryBytes }) => (isGreen(outcome) && memoryBytes !== undefined ? [memoryBytes] : []))
    .sort((a, b) => a - b);
  const median = known[Math.floor(known.length / 2)];
  if (median === undefined || known.length < LEAST_RUNS) {
    return {
      mostBytes: RUNBOOK.targets.memoryBytes,
      words: `the runbook's 200 to ${formatSize(RUNBOOK.targets.memoryBytes)}`,
    };
  }
  return {
    mostBytes: Math.max(median * ABOVE, median + ABOVE_BYTES),
    words: `${formatSize(median)}, the median of ${known.length} runs`,
  };
}
