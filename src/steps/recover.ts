import { asProcedureError, ProcedureError } from '../model/errors.js';
import type { Operation } from '../model/operation.js';
import { planRecovery, type Recovery } from '../model/recovery.js';
import { STRATEGIES } from '../strategies/index.js';
import { keptCandidate } from './kept-candidate.js';
import { observe } from './observe.js';
import { planUndo } from './plan-service.js';
import { readinessTimeout } from './readiness.js';
import { ServiceRun } from './service-run.js';
import type { Session } from './session.js';
import { checksFor } from './verify.js';

/** Going back includes waiting for readiness and the user's own checks. */
const RECOVERY_DEADLINE_MS = 15 * 60_000;

/**
 * Finishes or undoes what a killed run left, from its journal. Runs at the start of every procedure that takes the lock
 * over from a dead owner, and in the action's `post`.
 * @returns one sentence for each thing that was done
 */
export async function recoverRun(session: Session, runId: string): Promise<readonly string[]> {
  const record = await session.journal.read(runId);
  if (record === undefined || record.outcome !== undefined) return [];
  const { procedure, invocation } = record.opening;
  session.progress.warning(
    `${procedure} by ${invocation.actor} (run ${runId}) was killed; finishing or undoing what it left`,
  );
  const plan = planRecovery(record);
  const said: string[] = [];
  const deadline = AbortSignal.timeout(RECOVERY_DEADLINE_MS);
  for (const { directory, path } of plan.worktrees) {
    await session.source.removeWorktree(directory, path).catch((error: unknown) => {
      session.progress.debug(`worktree ${path}: ${String(error)}`); // left-over files harm nothing
    });
  }
  for (const tag of plan.tags) {
    await session.execute(tag, deadline);
    said.push(`${tag.tag} names the image of before again`);
  }
  if (plan.checkout !== undefined) {
    await session.execute(plan.checkout, deadline);
    said.push(`the checkout is back at ${plan.checkout.to.slice(0, 12)}`);
  }
  for (const [service, recovery] of Object.entries(plan.services)) {
    const done = await recoverService(session, service, recovery, deadline);
    if (done !== undefined) said.push(`${service}: ${done}`);
  }
  for (const tag of plan.builtTags) await session.engine.untagImage(tag);
  await session.journal.close(runId, said.length === 0 ? 'nothing was changed' : `recovered: ${said.join('; ')}`);
  for (const line of said) {
    session.progress.info(`✓ recovered: ${line}`);
    session.recorder.note(`recovered from run ${runId}: ${line}`);
  }
  return said;
}

async function recoverService(
  session: Session,
  service: string,
  recovery: Recovery,
  deadline: AbortSignal,
): Promise<string | undefined> {
  switch (recovery.kind) {
    case 'none':
      return undefined;
    case 'accept':
      await session.execute({ kind: 'accept-release', service, release: recovery.release }, deadline);
      return `release ${recovery.release} was verified and stays; its watch was cut short`;
    case 'restore':
      await restore(session, service, recovery.release, deadline);
      return `release ${recovery.release} is started again and verified`;
    case 'leave':
      return `release ${recovery.release} was a first deploy and was never verified; there is nothing to go back to`;
    case 'go-back':
      await goBack(session, service, recovery, deadline);
      return `release ${recovery.back} is back, since ${recovery.failed} was never verified`;
  }
}

async function goBack(
  session: Session,
  service: string,
  recovery: { readonly back: string; readonly failed: string },
  deadline: AbortSignal,
): Promise<void> {
  const current = await observe(session.engine, session, session.project, service);
  const candidate = await keptCandidate(session, recovery.back, current);
  const run = new ServiceRun(session, candidate);
  run.goingBack = true;
  const operations = STRATEGIES.recreate.undo({
    ...planUndo(session, {
      candidate,
      back: candidate.release,
      failed: recovery.failed,
      reason: 'the run that deployed it was killed before it was verified',
    }),
    checkout: undefined, // moved above, for all services at once
    namedImage: candidate.namedImage,
  });
  for (const operation of operations) await run.execute(operation, deadline);
}

/** A restart was cut short: the containers may be stopped or gone. What still runs is left as it is. */
async function restore(session: Session, service: string, release: string, deadline: AbortSignal): Promise<void> {
  const current = await observe(session.engine, session, session.project, service);
  const candidate = await keptCandidate(session, release, current);
  const run = new ServiceRun(session, candidate);
  const { replicas } = candidate;
  const [timeoutMs, checks] = [
    readinessTimeout(candidate.definition.healthCheck, session.request.readinessTimeoutMs),
    checksFor(session.request, { oneShot: candidate.oneShot, goingBack: true }),
  ];
  const operations: readonly Operation[] = [
    { kind: 'replace-containers', service, to: release, from: release, replicas, force: false },
    { kind: 'await-ready', service, release, timeoutMs },
    { kind: 'verify', service, release, checks },
  ];
  for (const operation of operations) await run.execute(operation, deadline);
}

/**
 * Recovers each abandoned run in turn.
 * @param goOn what a person needs at once (emergency, rollback, force) goes on all the same: what it does replaces what
 * could not be repaired, and the abandoned run counts as dealt with
 * @throws ProcedureError E_RECOVERY; the lock is then not given back, so that the next run tries again
 */
export async function recoverAll(session: Session, runs: readonly string[], goOn: boolean): Promise<readonly string[]> {
  const said: string[] = [];
  for (const run of runs) {
    try {
      said.push(...(await recoverRun(session, run)));
    } catch (error) {
      const failure = asProcedureError(error);
      if (session.signal.aborted || !goOn) {
        throw new ProcedureError('E_RECOVERY', `What run ${run} left could not be repaired: ${failure.message}`, {
          next: `${failure.next} Then start this run again; procedures rollback and emergency, or force: true, go on all the same.`,
          cause: failure,
          excerpt: failure.excerpt,
        });
      }
      session.progress.warning(`what run ${run} left could not be repaired: ${failure.message}; going on all the same`);
      await session.journal.close(run, `not repaired (${failure.message}); ${session.invocation.runId} went on`);
    }
  }
  return said;
}
