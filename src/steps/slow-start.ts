import { judgeStart } from '../model/slow-start.js';
import type { Candidate } from './candidate.js';
import type { Session } from './session.js';
import { raise, type SignSource } from './signs.js';

/**
 * Says when a service took long to start, in the light of its starts before. It is not asked for a job that ended: how long it takes is its work.
 * @param startupMs from the container's start to its readiness, milliseconds
 * @throws WarningSignError when it is a sign, and `on-warning` says so for a low one
 */
export async function lookAtStart(
  session: Session,
  { service, current }: Candidate,
  signs: SignSource,
  startupMs: number,
): Promise<void> {
  // Hardly any start is slow: only for those the ledger is read.
  const { maxStartupMs } = session.request;
  if (startupMs <= maxStartupMs) return;
  const records = await session.ledger.sloRecords(service).catch((error: unknown) => {
    session.progress.debug(`earlier starts of ${service}: ${String(error)}`); // the start itself went well
    return [];
  });
  const first = current.history.events.every(({ kind }) => kind !== 'live');
  const verdict = judgeStart(startupMs, first, records, maxStartupMs);
  if (verdict.kind === 'normal') return;
  if (verdict.kind === 'note') {
    session.progress.info(`  ${service}: ${verdict.message}`);
    session.recorder.note(verdict.message, service);
    return;
  }
  if (verdict.consistent) {
    session.recorder.nextSteps.push(
      `${service} is slow at every start: find out what it waits for there. Its log since the start is in the evidence.`,
    );
  }
  raise(session, signs, { sign: 'slow-start', severity: 'low', service, message: verdict.message });
}
