import { asProcedureError } from '../model/errors.js';
import { sloRecord } from '../model/slo-record.js';
import type { Session } from './session.js';

/**
 * Writes down what this run cost each service that it changed. The change is done and verified by then: a row that
 * cannot be written is a warning.
 */
export async function recordSlo(session: Session): Promise<void> {
  const { clock, recorder, invocation, request, progress } = session;
  const watchedMs = recorder.watched.reduce((sum, { durationMs }) => sum + durationMs, 0);
  const at = new Date(clock.now());
  const run = {
    at: at.toISOString(),
    run: invocation.runId,
    by: invocation.actor,
    procedure: request.procedure,
    timeMs: Math.max(0, at.getTime() - recorder.startedAt.getTime() - watchedMs),
  };
  try {
    for (const account of recorder.accounts) await session.ledger.addSloRecord(sloRecord(run, account));
  } catch (error) {
    progress.warning(`what this run cost could not be recorded: ${asProcedureError(error).message}`);
  }
}
