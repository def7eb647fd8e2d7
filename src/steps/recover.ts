import { failureOf, ProcedureError } from '../model/errors.js';
import { isWell, lifetimeOf, replicasBack, restOf } from '../model/job.js';
import type { Operation, OperationOf } from '../operations/operation.js';
import { planRecovery, type Recovery, type RecoveryPlan } from '../strategies/recovery.js';
import { dependencyOrder, isAlive } from '../model/service.js';
import type { JournalPlace } from '../run/executor.js';
import type { LockedRun } from '../run/run.js';
import { letGo, openEdge } from '../strategies/phases.js';
import { startAgain } from '../strategies/start-again.js';
import { undo } from '../strategies/undo.js';
import type { JournalRecord } from '../operations/journal.js';
import { jobsEnded } from './recover-job.js';
import { endDeploymentOf } from './deployment.js';
import { saySoIfPageStays } from './maintenance/window.js';
import { comingBack, keptCandidate } from './kept-candidate.js';
import { untagLeftImages } from './kept-tags.js';
import { observe } from './observe.js';
import { planUndo } from './plan-service.js';
import { readinessTimeout } from './readiness.js';
import { recoverEject, resume } from './recover-edge.js';
import { ServiceRun } from './service-run.js';
import { proveServing, type Recovered } from './serve-again.js';
import type { Session } from './session.js';
import { checksFor } from './verify.js';

/** Going back includes waiting for readiness and the user's own checks. */
const RECOVERY_DEADLINE_MS = 15 * 60_000;

/** Data takes the time that it takes. */
const DATA_DEADLINE_MS = 6 * 3_600_000;

/** Opens a session that writes its operations down in the place given. */
export type OpenSession = (place: JournalPlace) => Session;

const NOTHING: Recovered = { said: [], broken: [] };

/**
 * Finishes or undoes what a run left that was killed or whose undo failed, from its journal, and writes what it does at the end of that journal. Runs
 * at the start of every procedure that takes the lock over from a dead owner, and in the action's `post`.
 * @throws ProcedureError when a service that is recovered does not serve
 */
async function recoverRun(locked: LockedRun, open: OpenSession, runId: string): Promise<Recovered> {
  const record = await locked.journal.read(runId);
  if (record === undefined || record.outcome !== undefined) return NOTHING;
  const { procedure, invocation } = record.opening;
  locked.progress.warning(
    `${procedure} by ${invocation.actor} (run ${runId}) was not finished: finishing or undoing what it left`,
  );
  const left = await locked.commands.endLeft(runId);
  if (left > 0) locked.progress.info(`ended ${left} processes that it had started`);
  const session = open({ run: runId, after: record.entries.at(-1)?.sequence ?? 0 });
  // A release command that still runs, or one that still deletes data, among them.
  await session.traces.removeHelpers(session.project, [runId]);
  const said: string[] = [];
  const deadline = session.clock.deadline(RECOVERY_DEADLINE_MS);
  const first = planRecovery(record);
  const ended = await jobsEnded(session, first, deadline);
  const plan = planRecovery(record, await servicesDown(session, first), ended);
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
  for (const [service, recovery] of inOrder(session, plan.services)) {
    for (const back of plan.data.filter((one) => one.service === service)) {
      await putDataBack(session, back);
      said.push(`${service}: the data of before is back, from backup ${back.backup}`);
    }
    const done = await recoverService(session, service, recovery, deadline);
    if (done !== undefined) said.push(`${service}: ${done}`);
  }
  const proven = await proveServing(session, inOrder(session, plan.services), deadline);
  said.push(...proven.said);
  for (const mark of plan.left) await session.execute(mark, deadline);
  for (const folder of plan.backups) await session.backups.discard(folder);
  await untagLeftImages(session);
  if (procedure === 'maintenance') await saySoIfPageStays(session);
  endDeploymentOf(session, record.opening, isLive(record, plan), headlineOf(runId, said));
  await session.journal.close(runId, said.length === 0 ? 'nothing was changed' : `recovered: ${said.join('; ')}`);
  for (const line of said) {
    session.progress.info(`✓ recovered: ${line}`);
    session.recorder.note(`recovered from run ${runId}: ${line}`);
  }
  return { said, broken: proven.broken };
}

function headlineOf(runId: string, said: readonly string[]): string {
  return `run ${runId} was not finished; ${said.length === 0 ? 'nothing was left to repair' : said.join('; ')}`;
}

/** @returns whether what the killed run wanted is live, of every service that it came to */
function isLive({ entries }: JournalRecord, { services }: RecoveryPlan): boolean {
  const kinds = Object.values(services).map(({ kind }) => kind);
  const stay = kinds.every((kind) => kind === 'none' || kind === 'accept' || kind === 'finish');
  const accepted = entries.some(({ operation, result }) => operation.kind === 'accept-release' && result === 'done');
  return stay && (accepted || kinds.some((kind) => kind === 'accept' || kind === 'finish'));
}

/** What others depend on first: they need it to become ready. */
function inOrder(session: Session, services: RecoveryPlan['services']): readonly (readonly [string, Recovery])[] {
  const order = dependencyOrder(session.opened.live);
  return Object.entries(services).sort(([one], [other]) => order.indexOf(one) - order.indexOf(other));
}

/** What was verified and cut short in its watch may have crashed since: the watch would have seen it. */
async function servicesDown(session: Session, plan: RecoveryPlan): Promise<ReadonlySet<string>> {
  const down = new Set<string>();
  for (const [service, recovery] of Object.entries(plan.services)) {
    if (recovery.kind !== 'accept' && recovery.kind !== 'finish') continue;
    // What was replaced may be there still, stopped, for an undo.
    const old = recovery.kind === 'finish' ? recovery.old : [];
    const lifetime = lifetimeOf(session.opened.live, service);
    const [all, history] = await Promise.all([
      session.engine.containers(session.project, service),
      session.ledger.history(service),
    ]);
    const containers = all.filter(({ id }) => !old.includes(id));
    const stays = history.releases.find(({ id }) => id === recovery.release);
    const none = stays !== undefined && replicasBack(lifetime, stays, history) === 0;
    if (!containers.every((one) => isWell(lifetime, one)) || (containers.length === 0 && !none)) down.add(service);
  }
  return down;
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
    case 'stop':
      await stopAgain(session, service, deadline);
      return 'it was being stopped on purpose, and is stopped';
    case 'leave':
      return `release ${recovery.release} was a first deploy and was never verified; there is nothing to go back to`;
    case 'resume':
      await resume(session, service, recovery, deadline);
      return 'what was held, stopped or taken over for a change that had not begun is as it was';
    case 'thaw':
      return thaw(session, service, recovery.freeze, deadline);
    case 'reopen-edge':
    case 'remove-edge':
      await recoverEject(session, service, recovery, deadline);
      return recovery.kind === 'reopen-edge' ? 'the edge has its ports again' : 'what was left of its edge is gone';
    case 'finish':
      return finish(session, service, recovery, deadline);
    case 'go-back':
      await goBack(session, service, recovery, deadline);
      return `release ${recovery.back} is back, since ${recovery.failed} was never verified`;
  }
}

async function goBack(
  session: Session,
  service: string,
  recovery: Extract<Recovery, { kind: 'go-back' }>,
  deadline: AbortSignal,
): Promise<void> {
  const current = await observe(session.engine, session, session.project, service);
  const candidate = comingBack(await keptCandidate(session, recovery.back, current));
  const run = new ServiceRun(session, candidate);
  run.goBackTo(candidate);
  // Without an edge, or without its network, only Compose can give the service its ports.
  const edge = await session.edges.find(session.project, service);
  const unreachable = edge !== undefined && edge.networksGone.length > 0;
  if (unreachable) await run.execute({ kind: 'remove-edge', service }, deadline);
  const back = {
    ...(await planUndo(session, {
      candidate,
      back: candidate.release,
      failed: recovery.failed,
      before: recovery.before,
      // A run that was killed says nothing about the release it was deploying: the same may be deployed again.
      reason: recovery.bad ? 'the run that deployed it found it wrong' : undefined,
    })),
    checkout: undefined, // moved above, for all services at once
  };
  for (const operation of undo(back, recovery.way)) await run.execute(operation, deadline);
}

/** The new release takes the requests: the old containers go, and what a take-over left is opened or taken away. */
async function finish(
  session: Session,
  service: string,
  { release, accepted, old }: Extract<Recovery, { kind: 'finish' }>,
  deadline: AbortSignal,
): Promise<string | undefined> {
  const current = await observe(session.engine, session, session.project, service);
  const candidate = await keptCandidate(session, release, current);
  const run = new ServiceRun(session, candidate);
  const edge = await session.edges.find(session.project, service);
  const left = current.containers.map(({ id }) => id).filter((id) => old.includes(id));
  const { router } = candidate.traffic;
  const drainMs = session.request.drainTimeoutMs;
  const set = { are: 'these', containers: left } as const;
  const { containerName } = candidate.definition;
  const operations: readonly Operation[] = [
    ...(accepted ? [] : [{ kind: 'accept-release' as const, service, release }]),
    ...(left.length === 0
      ? []
      : [
          { kind: 'shift-traffic' as const, service, router, serve: { who: 'all-but' as const, containers: left } },
          { kind: 'drain-containers' as const, service, router, containers: set, timeoutMs: drainMs },
          { kind: 'retire-containers' as const, service, containers: set },
          ...letGo(service, router),
        ]),
    ...(edge === undefined || (edge.open && !edge.takeover)
      ? []
      : openEdge(
          service,
          edge.spec.ports.map(({ published }) => published),
          edge.redirected,
          drainMs,
        )),
    ...(containerName === undefined || current.containers.every(({ name }) => name === containerName)
      ? []
      : [{ kind: 'settle-containers' as const, service, containerName, named: false, except: [] }]),
  ];
  for (const operation of operations) await run.execute(operation, deadline);
  if (operations.length === 0) return undefined;
  return accepted
    ? `what release ${release} replaced is taken away`
    : `release ${release} was verified and stays; its watch was cut short`;
}

/** Nothing of the service may run while its data is replaced, whatever the killed run had started of it. */
async function putDataBack(session: Session, back: OperationOf<'restore-data'>): Promise<void> {
  const deadline = session.clock.deadline(DATA_DEADLINE_MS);
  const { service } = back;
  const containers = (await session.engine.containers(session.project, service)).map(({ id }) => id);
  const nothing = { quiesceCommand: undefined, resumeCommand: undefined };
  await session.execute({ kind: 'freeze-data', service, how: 'stop', containers, ...nothing }, deadline);
  await session.execute(back, deadline);
}

/** Lets a service go on whose data was kept from changing; one that was stopped for it has to become ready again. */
async function thaw(
  session: Session,
  service: string,
  freeze: OperationOf<'freeze-data'>,
  deadline: AbortSignal,
): Promise<string> {
  const current = await observe(session.engine, session, session.project, service);
  const there: string[] = [];
  for (const id of freeze.containers) if ((await session.engine.container(id)) !== undefined) there.push(id);
  await session.execute({ ...freeze, kind: 'thaw-data', containers: there }, deadline);
  if (freeze.how === 'stop' && there.length > 0 && current.release !== undefined) {
    const run = new ServiceRun(session, await keptCandidate(session, current.release.id, current));
    const timeoutMs = readinessTimeout(current.containers[0]?.healthCheck, session.request.readinessTimeoutMs);
    await run.execute({ kind: 'await-ready', service, release: current.release.id, timeoutMs }, deadline);
  }
  return 'it goes on; its data had been kept from changing';
}

/** A restart was cut short: the containers may be stopped or gone. What still runs is left as it is. */
async function restore(session: Session, service: string, release: string, deadline: AbortSignal): Promise<void> {
  const current = await observe(session.engine, session, session.project, service);
  const candidate = await keptCandidate(session, release, current);
  // A job that has completed is not run again; nothing of a service with zero replicas is started.
  if (restOf(candidate.lifetime, { ...current, release: candidate.release }) !== undefined) return;
  const run = new ServiceRun(session, candidate);
  const { replicas } = candidate;
  const [timeoutMs, checks] = [
    readinessTimeout(candidate.definition.healthCheck, session.request.readinessTimeoutMs),
    checksFor(session.request, { ends: candidate.lifetime === 'ends', goingBack: true, judgesTraffic: false }),
  ];
  const operations: readonly Operation[] = [
    ...startAgain({
      service,
      release,
      replicas,
      traffic: candidate.traffic,
      present: current.containers.map(({ id }) => id),
      containerName: candidate.definition.containerName,
      timeoutMs,
    }),
    { kind: 'verify', service, release, checks },
  ];
  for (const operation of operations) await run.execute(operation, deadline);
}

async function stopAgain(session: Session, service: string, deadline: AbortSignal): Promise<void> {
  const running = (await session.engine.containers(session.project, service)).filter(isAlive).map(({ id }) => id);
  if (running.length > 0) await session.execute({ kind: 'stop-containers', service, containers: running }, deadline);
}

/**
 * Recovers each run in turn that was abandoned with the lock.
 * @param goOn what a person needs at once (emergency, rollback, force) goes on all the same: what it does replaces what
 * could not be repaired, and the abandoned run counts as dealt with
 * @throws ProcedureError E_RECOVERY; the lock is then not given back, so that the next run tries again
 */
export async function recoverAll(locked: LockedRun, open: OpenSession, goOn: boolean): Promise<Recovered> {
  const said: string[] = [];
  const broken: ProcedureError[] = [];
  for (const run of locked.lock.abandoned) {
    try {
      const recovered = await recoverRun(locked, open, run);
      said.push(...recovered.said);
      broken.push(...recovered.broken);
    } catch (error) {
      const failure = failureOf(error);
      if (locked.signal.aborted || !goOn) {
        throw new ProcedureError('E_RECOVERY', `What run ${run} left could not be repaired: ${failure.message}`, {
          next: `${failure.next} Then start this run again; procedures rollback and emergency, or force: true, go on all the same.`,
          cause: failure,
          excerpt: failure.excerpt,
        });
      }
      locked.progress.warning(`what run ${run} left could not be repaired: ${failure.message}; going on all the same`);
      await locked.journal.close(run, `not repaired (${failure.message}); ${locked.invocation.runId} went on`);
    }
  }
  return { said, broken };
}
