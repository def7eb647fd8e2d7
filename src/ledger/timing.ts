import { ProcedureError } from '../model/errors.js';

/** @returns what a wait for the lock ends with when it is cut short */
export function cancelled(cause?: unknown): ProcedureError {
  return new ProcedureError('E_CANCELLED', 'The run was cancelled while it waited for the lock', {
    next: 'Nothing was changed. Start it again when ready.',
    cause,
  });
}

/** How often things are done, in milliseconds. */
export interface LockTiming {
  /** Shortest and longest pause between two looks of a waiting run. */
  readonly pollMs: readonly [number, number];
  /** How often a holder looks whether it is asked to yield, or has been fenced. */
  readonly watchMs: number;
  /** How often a holder renews its lease. */
  readonly leaseRenewMs: number;
  /** A lease not renewed for so long, while it was watched, is over. */
  readonly leaseSilenceMs: number;
}

export const DEFAULT_TIMING: LockTiming = {
  pollMs: [100, 250],
  watchMs: 750,
  leaseRenewMs: 5_000,
  leaseSilenceMs: 20_000,
};
