import type { Operation } from '../operations/operation.js';
import type { Plan } from '../operations/plan.js';
import type { Candidate } from './candidate.js';
import { withDataChanges } from './data-change.js';
import { leftoverOperations } from './leftovers.js';
import { planFor } from './plan-service.js';
import { withRemediesFor } from './remedies/index.js';
import type { Viewing } from './session.js';

/** A plan, and what it was made from. */
export interface Planned {
  readonly plan: Plan;
  /** With what is done to their data, and what remedies do first. */
  readonly candidates: readonly Candidate[];
  /** What takes away the containers that interrupted recreates left; part of the preparation. */
  readonly clearing: readonly Operation[];
}

export interface PlanAllOptions {
  readonly procedure: string;
  /** What comes before everything else, or was carried out already. */
  readonly preparation: readonly Operation[];
  /** Commit that the live checkout is at. */
  readonly liveCommit: string | undefined;
  /** A dry run makes no container: which image the old data is deleted in stays open. */
  readonly looking: boolean;
}

/**
 * One plan for all services, as if each went well. A dry run and the run make it in the same way, so that the one predicts
 * the other. Changes nothing that runs.
 */
export async function planAll(
  viewing: Viewing,
  wanted: readonly Candidate[],
  { procedure, preparation, liveCommit, looking }: PlanAllOptions,
): Promise<Planned> {
  const clearing = await leftoverOperations(viewing, wanted);
  const candidates = await withRemediesFor(viewing, await withDataChanges(viewing, wanted, looking));
  let commit = liveCommit;
  const services = candidates.map((candidate) => {
    const plan = planFor(viewing, candidate, commit);
    if (plan.operations.some((operation) => operation.kind === 'move-checkout')) commit = candidate.release.commit;
    return plan;
  });
  return { plan: { procedure, preparation: [...preparation, ...clearing], services }, candidates, clearing };
}
