import { ProcedureError } from '../model/errors.js';
import type { Progress } from '../model/ports/progress.js';

/**
 * Writes something that people read later: a report, an output, evidence. A failure is a warning and nothing more: the
 * service is what it is, and a full disk makes no release better or worse.
 * @param what names it and its place, such as `The report /srv/state/report.json`
 * @param signal of the run: what ended because the run was cancelled is not a failure to write
 * @returns whether it was written
 */
export async function writeOrWarn(
  progress: Pick<Progress, 'warning'>,
  what: string,
  write: () => unknown,
  signal?: AbortSignal,
): Promise<boolean> {
  try {
    await write();
    return true;
  } catch (error) {
    if (signal?.aborted === true) throw error;
    progress.warning(`${what} could not be written (${whyNot(error)}). The outcome does not change.`);
    return false;
  }
}

/** Of a system error `ENOSPC: no space left on device`, without the call and the path that Node adds. */
function whyNot(error: unknown): string {
  const cause = error instanceof ProcedureError && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return String(cause);
  if (!('code' in cause) || typeof cause.code !== 'string') return cause.message;
  return cause.message.split(', ')[0] ?? cause.code;
}
