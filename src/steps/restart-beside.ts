import { asProcedureError } from '../model/errors.js';
import type { StrategyName } from '../model/plan.js';
import type { ServicePlan } from '../operations/plan.js';
import type { ReleaseId } from '../model/release.js';
import type { Candidate, Current } from './candidate.js';
import { keptCandidate } from './kept-candidate.js';
import { planFor } from './plan-service.js';
import type { Viewing } from './session.js';
import { withRestart } from './show-plan.js';
import { nameFiles, writtenBy } from './written-layer.js';

/** Fresh containers of the same release take over one after the other, and no request fails. */
export type Beside =
  | { readonly kind: 'beside'; readonly candidate: Candidate; readonly plan: ServicePlan }
  /** @property why in words, for the plan */
  | { readonly kind: 'in-place'; readonly why: string };

const WITHOUT_OUTAGE: ReadonlySet<StrategyName> = new Set(['rolling', 'blue-green', 'canary']);

/**
 * The best way of a graceful restart: beside the old containers where the router can do that, and in place where nothing
 * can run beside them or a new container would not have what the old one has written.
 */
export async function restartBeside(
  viewing: Viewing,
  current: Current,
  release: ReleaseId | undefined,
): Promise<Beside> {
  try {
    return await besideIfPossible(viewing, current, release);
  } catch (error) {
    // An image that is gone, a strategy that is asked for and not possible: a restart in place needs neither.
    return { kind: 'in-place', why: asProcedureError(error).message };
  }
}

async function besideIfPossible(viewing: Viewing, current: Current, release: ReleaseId | undefined): Promise<Beside> {
  const running = current.containers.filter(({ state }) => state === 'running');
  if (release === undefined || running.length === 0)
    return { kind: 'in-place', why: 'nothing runs that could serve meanwhile' };
  const kept = await keptCandidate(viewing, release, current);
  const candidate = withRestart(kept, 'a restart was asked for');
  const plan = planFor(viewing, candidate, viewing.opened.checkout?.commit);
  const written = wordsOf(await writtenBy(viewing, running));
  if (!WITHOUT_OUTAGE.has(plan.strategy)) {
    const lost = written === undefined ? '' : `, and ${written}`;
    return { kind: 'in-place', why: `nothing can run beside it unseen${lost}` };
  }
  if (plan.operations.some(({ kind }) => kind === 'move-checkout'))
    return {
      kind: 'in-place',
      why: 'the checkout is not at the commit of the release, and a restart does not move it',
    };
  return written === undefined ? { kind: 'beside', candidate, plan } : { kind: 'in-place', why: written };
}

/** @returns undefined when nothing was written */
function wordsOf(written: readonly string[]): string | undefined {
  if (written.length === 0) return undefined;
  return `a new container would not have what this one has written outside of its volumes: ${nameFiles(written)}`;
}
