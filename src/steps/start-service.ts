import { failureOf, ProcedureError } from '../model/errors.js';
import type { OutcomeKind } from '../model/outcome.js';
import { restOf, restWords } from '../model/job.js';
import type { ServicePlan } from '../operations/plan.js';
import { liveRelease, stoppedOnPurpose, type ServiceHistory } from '../model/release.js';
import { isAlive, type ServiceDefinition } from '../model/service.js';
import { decide, outcomeOf } from '../run/decide.js';
import { planStart } from '../strategies/stop-start.js';
import type { Candidate, Current } from './candidate.js';
import { inOrder } from './data.js';
import { backupFirst, withBackup } from './data-change.js';
import { diagnoseFailure } from './diagnosis/index.js';
import { captureEvidence } from './evidence.js';
import { passCreatable } from './gates/creatable.js';
import { passPorts } from './gates/index.js';
import { requireKept } from './keeping.js';
import { keptCandidate } from './kept-candidate.js';
import { adopt, viewAdopted } from './adopt.js';
import { observe } from './observe.js';
import { readinessTimeout } from './readiness.js';
import { freedPort, remediesFor, withFirst } from './remedies/index.js';
import { ServiceRun } from './service-run.js';
import type { Session, Viewing } from './session.js';
import { showNext } from './show-plan.js';
import { stopLooker } from './stop-service.js';
import { checksFor } from './verify.js';

/** How starting one service ended. */
export interface Started {
  readonly outcome: OutcomeKind;
  readonly error: ProcedureError | undefined;
  /** Whether it runs now and did not before. */
  readonly changed: boolean;
  /** Whether starting it began at all. */
  readonly began: boolean;
}

/** Undoing goes on after a cancel. */
const STOP_AGAIN_MS = 10 * 60_000;

/** @returns what starting a service would do */
export async function viewStart(viewing: Viewing, service: string): Promise<ServicePlan> {
  return (await prepareStart(viewing, await viewAdopted(viewing, service), service)).plan;
}

/** Starts what was stopped, and stops it again when it does not become what it should be. */
export async function startService(session: Session, service: string): Promise<Started> {
  const current = await adopt(session, service, await observe(session.engine, session, session.project, service));
  const { plan, candidate } = await prepareStart(session, current, service);
  showNext(session, 'start', plan, session.request.services);
  if (candidate === undefined) {
    for (const operation of plan.operations) await session.execute(operation, session.signal);
    return { outcome: 'unchanged', error: undefined, changed: false, began: false };
  }
  await passPorts(session, candidate);
  if (makesContainers(plan)) await passCreatable(session, candidate);
  const run = new ServiceRun(session, candidate);
  try {
    await inOrder(session, plan.operations, (operation) => run.execute(operation, session.signal));
    run.report('deployed', candidate.release, undefined);
    return { outcome: 'deployed', error: undefined, changed: true, began: true };
  } catch (error) {
    const failure = failureOf(error);
    const { autoRollback } = session.request;
    const cancelled = failure.code === 'E_CANCELLED';
    const failed = { begun: run.begun, cancelled, warned: false, before: 'stopped', autoRollback } as const;
    const answer = decide(failed);
    const outcome = outcomeOf(answer, failed);
    session.progress.error(`${service}: ${failure.message}`);
    // The backup before it failed: what was stopped is as it was.
    if (answer === 'take-back') return { outcome, error: failure, changed: freedPort(session, plan), began: false };
    if (answer === 'undo') await stopAgain(session, candidate, failure);
    await run.reportFailure(outcome, undefined);
    return { outcome, error: failure, changed: answer !== 'undo', began: true };
  }
}

/** It was stopped for a reason: what does not come up right is not left running in a half-way state. */
async function stopAgain(
  session: Session,
  { service, release, definition }: Candidate,
  failure: ProcedureError,
): Promise<void> {
  const deadline = session.clock.deadline(STOP_AGAIN_MS);
  await diagnoseFailure(session, service, definition, failure, 'calm');
  await captureEvidence(session, session.project, service, 'failed', session.clock.deadline(60_000)).catch(
    (error: unknown) => session.progress.debug(`evidence: ${String(error)}`),
  );
  session.lookers.set(service, stopLooker(session));
  const reason = session.redactor.text(`started, and not right: ${failure.message}`).slice(0, 200);
  await session.execute({ kind: 'record-stop', service, release: release.id, reason }, deadline);
  const running = (await session.engine.containers(session.project, service)).filter(isAlive).map(({ id }) => id);
  if (running.length > 0) await session.execute({ kind: 'stop-containers', service, containers: running }, deadline);
  await session.execute({ kind: 'verify', service, release: release.id, checks: ['stopped'] }, deadline);
  session.recorder.nextSteps.push(
    `${service} is stopped again, as it was before. When the cause is gone: procedure start.`,
  );
}

async function prepareStart(
  viewing: Viewing,
  current: Current,
  service: string,
): Promise<{ readonly plan: ServicePlan; readonly candidate: Candidate | undefined }> {
  const { containers, history } = current;
  if (containers.length > 0 && containers.every(({ state }) => state === 'running')) {
    return { plan: runsAlready(service, current), candidate: undefined };
  }
  const release = (current.release ?? liveRelease(history))?.id;
  if (release === undefined) throw nothingToStart(service);
  const known = await keptCandidate(viewing, release, current);
  const rest = restOf(known.lifetime, current);
  if (rest !== undefined) {
    viewing.progress.info(`${service} ${restWords(rest)}: nothing of it is started`);
    return { plan: atRest(service, release, current), candidate: undefined };
  }
  // Containers of another release than the ledger knows of are replaced by it.
  const present = current.release === undefined ? [] : containers.map(({ id }) => id);
  const candidate = { ...known, replicas: present.length === 0 ? known.replicas : present.length };
  const backedUp = withBackup(planFor(viewing, candidate, present), await backupFirst(viewing, service, current));
  const plan = withFirst(backedUp, await remediesFor(viewing, candidate));
  return { plan: requireKept(viewing, plan, candidate.keeping), candidate };
}

function planFor(viewing: Viewing, candidate: Candidate, present: readonly string[]): ServicePlan {
  const { service, definition, release, current, replicas, traffic, lifetime } = candidate;
  const { request } = viewing;
  return {
    service,
    strategy: 'recreate',
    decision: { kind: 'change', reasons: [whyStart(current.history)] },
    notes: [
      present.length === 0
        ? `No container of release ${release.id} is there: it is made anew from what the ledger keeps.`
        : 'The containers that were stopped are started, with what their writable layers hold.',
      'What does not become ready, or fails a check, is stopped again.',
    ],
    operations: planStart({
      service,
      release: release.id,
      replicas,
      present,
      heldBack: heldBack(definition, candidate.current, present),
      traffic,
      containerName: definition.containerName,
      timeoutMs: readinessTimeout(definition.healthCheck, request.readinessTimeoutMs),
      checks: checksFor(request, { ends: lifetime === 'ends', goingBack: true, judgesTraffic: false }),
      watchMs: request.watchMs,
    }),
    estimatedDowntimeMs: undefined,
  };
}

/** The compose file says `restart: always`, and the stop has made it `unless-stopped`. */
function heldBack(
  definition: ServiceDefinition,
  { containers }: Current,
  present: readonly string[],
): readonly string[] {
  if (definition.restart !== 'always') return [];
  return containers
    .filter(({ id, restartPolicy }) => present.includes(id) && restartPolicy === 'unless-stopped')
    .map(({ id }) => id);
}

function whyStart(history: ServiceHistory): string {
  const stop = stoppedOnPurpose(history);
  return stop === undefined ? 'it does not run' : `it was stopped on purpose on ${stop.at} (${stop.reason})`;
}

/** Whoever stopped it has stopped what was done: with that taken back it is as it was before. */
function atRest(service: string, release: string, current: Current): ServicePlan {
  const stopped = stoppedOnPurpose(current.history) !== undefined;
  return {
    ...runsAlready(service, current),
    operations: stopped ? [{ kind: 'record-start', service, release }] : [],
  };
}

function runsAlready(service: string, current: Current): ServicePlan {
  return {
    service,
    strategy: 'recreate',
    decision: { kind: 'unchanged', release: current.release?.id },
    notes: [],
    operations: [],
    estimatedDowntimeMs: undefined,
  };
}

/** What was only stopped is started, and nothing is made. */
function makesContainers({ operations }: ServicePlan): boolean {
  return operations.some(({ kind }) => kind === 'replace-containers' || kind === 'start-beside');
}

function nothingToStart(service: string): ProcedureError {
  return new ProcedureError('E_GATE', `${service} has no container, and the ledger has no release of it`, {
    next: 'Deploy it with procedure code-update. Nothing was changed.',
  });
}
