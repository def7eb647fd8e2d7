import { ProcedureError } from '../model/errors.js';

/** The person pressed cancel, or the runner did. */
function cancelledError(): ProcedureError {
  return new ProcedureError('E_CANCELLED', 'The run was cancelled', {
    next: 'Read below what is live now; start the run again when ready.',
  });
}

/** @returns the reason of an aborted signal as an Error */
export function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : cancelledError();
}
