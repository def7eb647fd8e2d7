import type { Candidate } from '../candidate.js';
import type { GateFinding } from './pass-gate.js';
import { imageOf } from '../kept-candidate.js';
import type { Viewing } from '../session.js';
import { releaseBefore } from '../way-back.js';

/**
 * Runbook: always have a rollback plan ready. It only warns: what runs and is broken has to be replaced all the same.
 * (A maintenance is planned: its precheck refuses.)
 */
export async function rollbackReleaseGate(
  viewing: Viewing,
  { service, current }: Pick<Candidate, 'service' | 'current'>,
): Promise<GateFinding> {
  if (current.containers.length === 0) return { kind: 'pass', detail: `${service}: nothing runs that could come back` };
  const before = releaseBefore(current);
  if (before !== undefined && (await imageOf(viewing, before)) !== undefined) {
    return { kind: 'pass', detail: `${service}: release ${before.id} can come back` };
  }
  const why =
    before === undefined ? 'no release of it is known to be good' : `the image of release ${before.id} is gone`;
  return { kind: 'warn', detail: `${service} has nothing to go back to if this fails: ${why}` };
}
