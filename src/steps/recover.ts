import { failureOf, ProcedureError } from '../model/errors.js';
import type { Operation, OperationOf } from '../model/operation.js';
import { planRecovery, type EjectRecovery, type Recovery, type RecoveryPlan, type Way } from '../model/recovery.js';
import { dependencyOrder, isAlive, isOneShot } from '../model/service.js';
import type { JournalPlace } from '../run/executor.js';
import type { LockedRun } from '../run/run.js';
import { STRATEGIES } from '../strategies/index.js';
import { finishEject, undoEject } from '../strategies/eject.js';
import { letGo, openEdge } from '../strategies/phases.js';
import { startAgain } from '../strategies/start-again.js';
import type { Strategy } from '../strategies/strategy.js';
import { liveRelease } from '../model/release.js';
import type { JournalRecord } from '../model/ports/ledger.js';
import { endDeploymentOf } from './deployment.js';
import { saySoIfPageStays } from './maintenance/window.js';
import { keptCandidate } from './kept-candidate.js';
import { observe } from './observe.js';
import { planUndo } from './plan-service.js';
import { readinessTimeout } from './readiness.js';
import { ServiceRun } from './service-run.js';
import type { Session } from './session.js';
import { checksFor } from './verify.js';

/** Going back includes waiting for readiness and the user's own checks. */
const RECOVERY_DEADLINE_MS = 15 * 60_000;

/** Data takes the time that it takes. */
const DATA_DEADLINE_MS = 6 * 3_600_000;

/** Opens a session that writes its operations down in the place given. */
export type OpenSession = (place: JournalPlace) => Session;

/**
 * Finishes or undoes what a killed run left, from its journal, and writes what it does at the end of that journal. Runs
 * at the start of every procedure that takes the lock over from a dead owner, and in the action's `post`.
 * @returns one sentence for each thing that was done
 */
async function recoverRun(locked: LockedRun, open: OpenSession, runId: string): Promise<readonly string[]> {
  const record = await locked.journal.read(runId);
  if (record === undefined || record.outcome !== undefined) return [];
  const { procedure, invocation } = record.opening;
  locked.progress.warning(
    `${procedure} by ${invocation.actor} (run ${runId}) was killed; finishing or undoing what it left`,
  );
  const left = await locked.commands.endLeft(runId);
  if (left > 0) locked.progress.info(`ended ${left} processes that it had started`);
  const session = open({ run: runId, after: record.entries.at(-1)?.sequence ?? 0 });
  // A release command that still runs, or one that still deletes data, among them.
  await session.traces.removeHelpers(session.project, [runId]);
  const plan = planRecovery(record, await servicesDown(session, planRecovery(record)));
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
  for (const [service, recovery] of inOrder(session, plan.services)) {
    for (const back of plan.data.filter((one) => one.service === service)) {
      await putDataBack(session, back);
      said.push(`${service}: the data of before is back, from backup ${back.backup}`);
    }
    const done = await recoverService(session, service, recovery, deadline);
    if (done !== undefined) said.push(`${service}: ${done}`);
  }
  for (const mark of plan.left) await session.execute(mark, deadline);
  for (const tag of plan.builtTags) await session.engine.untagImage(tag);
  if (procedure === 'maintenance') await saySoIfPageStays(session);
  endDeploymentOf(session, record.opening, isLive(record, plan), headlineOf(runId, said));
  await session.journal.close(runId, said.length === 0 ? 'nothing was changed' : `recovered: ${said.join('; ')}`);
  for (const line of said) {
    session.progress.info(`✓ recovered: ${line}`);
    session.recorder.note(`recovered from run ${runId}: ${line}`);
  }
  return said;
}

function headlineOf(runId: string, said: readonly string[]): string {
  return `run ${runId} was killed; ${said.length === 0 ? 'nothing was left to repair' : said.join('; ')}`;
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
  for (const [service, { kind }] of Object.entries(plan.services)) {
    if (kind !== 'accept' && kind !== 'finish') continue;
    const oneShot = isOneShot(session.opened.live, service);
    const containers = await session.engine.containers(session.project, service);
    const right = containers.every((one) =>
      oneShot ? one.state !== 'exited' || one.exitCode === 0 : one.state === 'running' && one.health !== 'unhealthy',
    );
    if (containers.length === 0 || !right) down.add(service);
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
  const candidate = await keptCandidate(session, recovery.back, current);
  const run = new ServiceRun(session, candidate);
  run.goBackTo(candidate.release);
  const operations = UNDO[recovery.way].undo({
    ...(await planUndo(session, {
      candidate,
      back: candidate.release,
      failed: recovery.failed,
      before: recovery.before,
      // A run that was killed says nothing about the release it was deploying: the same may be deployed again.
      reason: recovery.bad ? 'it was found wrong by the run that deployed it, which was killed then' : undefined,
    })),
    checkout: undefined, // moved above, for all services at once
  });
  for (const operation of operations) await run.execute(operation, deadline);
}

/** What undoes a change that was made in one way or another. */
const UNDO: Readonly<Record<Way, Strategy>> = {
  recreate: STRATEGIES.recreate,
  beside: STRATEGIES['blue-green'],
  'stop-first': STRATEGIES.recreate,
  hold: STRATEGIES.hold,
};

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

async function recoverEject(
  session: Session,
  service: string,
  { kind, before, alone }: EjectRecovery,
  deadline: AbortSignal,
): Promise<void> {
  const edge = await session.edges.find(session.project, service);
  if (edge === undefined) return;
  const current = await observe(session.engine, session, session.project, service);
  const ids = current.containers.map(({ id }) => id);
  const present = before.length === 0 ? ids : before;
  const drainTimeoutMs = session.request.drainTimeoutMs;
  if (kind === 'remove-edge') {
    const operations = finishEject({
      service,
      left: present.filter((id) => ids.includes(id) && ids.length > present.length),
      containerName: session.opened.live.services[service]?.containerName,
      edge: edge.spec,
      drainTimeoutMs,
    });
    for (const operation of operations) await session.execute(operation, deadline);
    return;
  }
  const release = (current.release ?? liveRelease(current.history))?.id;
  const operations = undoEject({
    service,
    release: release ?? '',
    present,
    edge: edge.spec,
    alone: alone && release !== undefined,
    readinessTimeoutMs: readinessTimeout(current.containers[0]?.healthCheck, session.request.readinessTimeoutMs),
    drainTimeoutMs,
  });
  const run = release === undefined ? session : new ServiceRun(session, await keptCandidate(session, release, current));
  for (const operation of operations) await run.execute(operation, deadline);
}

/** Nothing new had been started: containers that were stopped run again, what was held goes on, the edge goes. */
async function resume(
  session: Session,
  service: string,
  { stopped, router }: Extract<Recovery, { kind: 'resume' }>,
  deadline: AbortSignal,
): Promise<void> {
  const edge = await session.edges.find(session.project, service);
  const present = new Set((await session.engine.containers(session.project, service)).map(({ id }) => id));
  const again = stopped.filter((id) => present.has(id));
  const takingOver = edge !== undefined && !edge.open;
  const ports = edge?.spec.ports.map(({ published }) => published) ?? [];
  const timeoutMs = session.request.drainTimeoutMs;
  const operations: readonly Operation[] = [
    ...(again.length === 0 ? [] : [{ kind: 'start-containers' as const, service, containers: again }]),
    ...(router === undefined || edge === undefined ? [] : [{ kind: 'release-traffic' as const, service, router }]),
    ...(takingOver && edge.redirected ? [{ kind: 'end-redirect' as const, service, ports }] : []),
    ...(takingOver
      ? [
          { kind: 'end-takeover' as const, service, timeoutMs },
          { kind: 'remove-edge' as const, service },
        ]
      : []),
  ];
  for (const operation of operations) await session.execute(operation, deadline);
}

/** Nothing of the service may run while its data is replaced, whatever the killed run had started of it. */
async function putDataBack(session: Session, back: OperationOf<'restore-data'>): Promise<void> {
  const deadline = AbortSignal.timeout(DATA_DEADLINE_MS);
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
  const run = new ServiceRun(session, candidate);
  const { replicas } = candidate;
  const [timeoutMs, checks] = [
    readinessTimeout(candidate.definition.healthCheck, session.request.readinessTimeoutMs),
    checksFor(session.request, { oneShot: candidate.oneShot, goingBack: true, judgesTraffic: false }),
  ];
  const operations: readonly Operation[] = [
    ...startAgain({
      service,
      release,
      replicas,
      router: candidate.traffic.router,
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
export async function recoverAll(locked: LockedRun, open: OpenSession, goOn: boolean): Promise<readonly string[]> {
  const said: string[] = [];
  for (const run of locked.lock.abandoned) {
    try {
      said.push(...(await recoverRun(locked, open, run)));
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
  return said;
}
