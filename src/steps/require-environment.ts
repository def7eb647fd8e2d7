import { ProcedureError, asProcedureError } from '../model/errors.js';
import { restOf } from '../model/job.js';
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
 * file would otherwise end green as "unchanged". Checks without a service are for those that change; where none does, it is
 * enough that one has what is asked for, as it had when it changed.
 * @throws ProcedureError E_GATE
 */
export async function requireEnvironment(viewing: Viewing, candidates: readonly Candidate[]): Promise<void> {
  const { verifyEnv } = viewing.request;
  if (verifyEnv.length === 0) return;
  const unchanged = candidates.filter(
    ({ decision, lifetime, current }) =>
      decision.kind === 'unchanged' && lifetime !== 'ends' && restOf(lifetime, current) === undefined,
  );
  for (const candidate of unchanged) {
    const missing = await missingIn(
      viewing,
      candidate,
      verifyEnv.filter(({ service }) => service),
    );
    if (missing !== undefined) throw missing;
  }
  if (candidates.some(({ decision }) => decision.kind !== 'unchanged')) return;
  for (const check of verifyEnv.filter(({ service }) => service === undefined)) {
    const missing: ProcedureError[] = [];
    for (const candidate of unchanged) {
      const problem = await missingIn(viewing, candidate, [check]);
      if (problem !== undefined) missing.push(problem);
    }
    const [first] = missing;
    if (first !== undefined && missing.length === unchanged.length) throw first;
  }
}

/** @returns what is not as asked for, as an error to throw; undefined when all is */
async function missingIn(
  viewing: Viewing,
  { service, current, definition }: Candidate,
  verifyEnv: Viewing['request']['verifyEnv'],
): Promise<ProcedureError | undefined> {
  const request = { ...viewing.request, verifyEnv };
  try {
    await checkEnvironment({ ...viewing, request }, service, current.containers, definition.environment);
    return undefined;
  } catch (error) {
    const problem = asProcedureError(error);
    if (problem.code !== 'E_VERIFICATION') throw problem;
    return new ProcedureError('E_GATE', `${service} does not change, and ${problem.message}`, {
      next: 'The compose files and env files do not say what verify-env asks for: correct the one or the other. Nothing was changed.',
    });
  }
}
