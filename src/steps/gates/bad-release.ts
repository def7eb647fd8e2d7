import { ProcedureError } from '../../model/errors.js';
import { sameBadRelease } from '../../model/release.js';
import type { Current } from '../candidate.js';
import type { GateFinding } from './pass-gate.js';

/** After a rollback main still holds the bad commit: deploying the same again wants a person's word. */
export function badReleaseGate(
  service: string,
  current: Current,
  wanted: Parameters<typeof sameBadRelease>[1],
): GateFinding {
  const bad = sameBadRelease(current.history, wanted);
  if (bad === undefined) return { kind: 'pass', detail: `${service}: not a release that was rolled back` };
  const event = current.history.events.findLast((entry) => entry.release === bad.id && entry.kind === 'bad');
  return {
    kind: 'refuse',
    error: new ProcedureError(
      'E_BAD_RELEASE',
      `This is release ${bad.id} of ${service}, which is marked bad: ${event?.reason ?? 'no reason recorded'}`,
      {
        next: 'Deploy a commit or a configuration that is corrected, or set force: true to deploy the same again; nothing was changed.',
      },
    ),
  };
}
