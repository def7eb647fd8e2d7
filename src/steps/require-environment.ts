import { ProcedureError, asProcedureError } from '../model/errors.js';
import type { Candidate } from './candidate.js';
import { requireServices } from './open-project.js';
import type { Viewing } from './session.js';
import { checkEnvironment } from './verify-environment.js';

/** @throws ProcedureError E_SERVICE for a service that `verify-env` names and the project does not have */
export function requireKnownServices(viewing: Viewing): void {
  const named = viewing.request.verifyEnv.flatMap(({ service }) => service ?? []);
  requireServices([...new Set(named)], Object.keys(viewing.opened.live.services));
}

/**
 * A service that does not change is looked at before anything does: a variable that somebody forgot to write into the
 * file would otherwise end green as "unchanged". Checks without a service are for those that change, and for all where
 * none does.
 * @throws ProcedureError E_GATE
 */
export async function requireEnvironment(viewing: Viewing, candidates: readonly Candidate[]): Promise<void> {
  const { verifyEnv } = viewing.request;
  if (verifyEnv.length === 0) return;
  const none = candidates.every(({ decision }) => decision.kind === 'unchanged');
  const request = { ...viewing.request, verifyEnv: none ? verifyEnv : verifyEnv.filter(({ service }) => service) };
  for (const { service, decision, current, definition, oneShot } of candidates) {
    if (decision.kind !== 'unchanged' || oneShot) continue;
    try {
      await checkEnvironment({ ...viewing, request }, service, current.containers, definition.environment);
    } catch (error) {
      const problem = asProcedureError(error);
      if (problem.code !== 'E_VERIFICATION') throw problem;
      throw new ProcedureError('E_GATE', `${service} does not change, and ${problem.message}`, {
        next: 'The compose files and env files do not say what verify-env asks for: correct the one or the other. Nothing was changed.',
      });
    }
  }
}
