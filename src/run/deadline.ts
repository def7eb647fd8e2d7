import { ProcedureError } from '../model/errors.js';

/**
 * Sleeps, and wakes at once on abort.
 * @param ms milliseconds
 * @throws the signal's reason
 */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(reasonOf(signal));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal.addEventListener('abort', stop, { once: true });
  });
}

/** The person pressed cancel, or the runner did. */
export function cancelledError(): ProcedureError {
  return new ProcedureError('E_CANCELLED', 'The run was cancelled', {
    next: 'Read below what is live now; start the run again when ready.',
  });
}

/** @returns the reason of an aborted signal as an Error */
export function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : cancelledError();
}
