import { asProcedureError, ProcedureError } from '../model/errors.js';

/** @returns what went wrong while a backup was written, as a person needs it */
export function writeFailure(folder: string, thrown: unknown): ProcedureError {
  if (thrown instanceof ProcedureError) return thrown;
  if (codeOf(thrown) === 'ENOSPC' || codeOf(thrown) === 'EDQUOT') {
    return new ProcedureError('E_DISK_FULL', `The disk was full before the backup was whole (${folder})`, {
      next: 'Free space there, or give another backup-dir; what was written of this backup is removed, and older ones are as they were.',
      cause: thrown,
    });
  }
  const aborted = asProcedureError(thrown);
  if (aborted.code === 'E_CANCELLED') return aborted;
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  return new ProcedureError('E_BACKUP', `The backup could not be written to ${folder}: ${reason}`, {
    next: 'Look whether this user may write there; what was written of this backup is removed.',
    cause: thrown,
  });
}

/** @returns that a backup is not what it should be */
export function notWhole(folder: string, what: string, cause?: unknown): ProcedureError {
  return new ProcedureError('E_BACKUP', `The backup ${folder} is not whole: ${what}`, {
    next: 'Choose another one; procedure check lists those there are. This one was not touched.',
    cause,
  });
}

function codeOf(thrown: unknown): unknown {
  return typeof thrown === 'object' && thrown !== null && 'code' in thrown ? thrown.code : undefined;
}
