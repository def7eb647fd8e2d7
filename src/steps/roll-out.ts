import { blamesRelease, failureOf, type ProcedureError } from '../model/errors.js';
import type { Freeze } from '../operations/freeze-data.js';
import { changesService, compensationOf, traitsOf, type Operation } from '../operations/operation.js';
import type { OutcomeKind } from '../model/outcome.js';
import type { StrategyName } from '../model/plan.js';
import type { ServicePlan } from '../operations/plan.js';
import { isServing } from '../model/serving.js';
import type { ReleaseWithDefinition } from '../model/release.js';
import { formatDuration } from '../model/units.js';
import { decide, outcomeOf, type FailedChange } from '../run/decide.js';
import { undo, wayBack } from '../strategies/undo.js';
import { dataFirst } from '../strategies/with-data.js';
import { stepsAfterFailedUndo, stepsAfterFailure } from './by-hand.js';
import type { Candidate } from './candidate.js';
import { inOrder } from './data.js';
import { comingBack } from './kept-candidate.js';
import { diagnoseFailure } from './diagnosis/index.js';
import { captureEvidence } from './evidence.js';
import type { LiveNow } from './live-release.js';
import { planService, planUndo } from './plan-service.js';
import { ranWith } from './release-command.js';
import { freedPort } from './remedies/index.js';
import { ServiceRun } from './service-run.js';
import { notServing, servingAfter } from './serving.js';
import type { Session } from './session.js';
import { WarningSignError } from './signs.js';
import { releaseBefore } from './way-back.js';

/** How the change of one service ended, and what is live now. */
export interface RollOutResult {
  readonly service: string;
  readonly outcome: OutcomeKind;
  readonly error: ProcedureError | undefined;
  readonly undoError: ProcedureError | undefined;
  readonly changed: boolean;
  /** What serves now, where the change did not go through. */
  readonly live?: LiveNow;
}

export interface RollOutOptions {
  /** What is known of it already. */
  readonly service?: ServiceRun;
  /** Something follows: when it went well so far, its account is closed by the caller. */
  readonly accountLater?: boolean;
}

/** Undoing goes on after a cancel: it has this long, then it is left to `post` or the next run. */
const UNDO_DEADLINE_MS = 15 * 60_000;
/** The same, where data has to come back. */
const DATA_UNDO_DEADLINE_MS = 60 * 60_000;
const BACK_MS = 30_000;
/** Longest that the log of what failed is read before it goes. */
const COUNT_MS = 5_000;

/**
 * Makes a candidate live, watches it, and brings the release before it back when anything goes wrong.
 * Never throws for what happened to the service: the result says it.
 */
export async function rollOut(
  session: Session,
  candidate: Candidate,
  { service = new ServiceRun(session, candidate), accountLater = false }: RollOutOptions = {},
): Promise<RollOutResult> {
  const plan = planService(session, candidate);
  if (!candidate.recorded) await session.ledger.addRelease(candidate.release);
  let failure: ProcedureError;
  try {
    await carryOut(session, service, plan);
    session.deployed.add(candidate.service);
    const broken = await brokenStill(session, candidate);
    if (broken !== undefined) return notRepaired(service, candidate, broken);
    if (!accountLater) service.report('deployed', candidate.release, releaseBefore(candidate.current)?.id);
    return { service: candidate.service, outcome: 'deployed', error: undefined, undoError: undefined, changed: true };
  } catch (error) {
    failure = failureOf(error);
  }
  return afterFailure(session, service, candidate, plan, failure);
}

/** An undo would not help: the previous release did not serve either. */
function notRepaired(service: ServiceRun, candidate: Candidate, error: ProcedureError): RollOutResult {
  service.report('failed', candidate.release, releaseBefore(candidate.current)?.id);
  return { service: candidate.service, outcome: 'failed', error, undoError: undefined, changed: true };
}

async function carryOut(session: Session, service: ServiceRun, plan: ServicePlan): Promise<void> {
  await inOrder(session, plan.operations, async (operation) => {
    if (operation.kind === 'watch') announceLive(session, operation.service, operation.release, operation.durationMs);
    await service.execute(operation, session.signal);
  });
}

/** Said as soon as the new release takes traffic, so that nobody waits for the end of the watch to know. */
function announceLive(session: Session, service: string, release: string | undefined, watchMs: number): void {
  const watched = watchMs === 0 ? 'it is not watched' : `it is watched for ${formatDuration(watchMs)}`;
  session.progress.info(`● ${service}: release ${release ?? ''} is live and verified; ${watched}`);
  session.recorder.note(`release ${release ?? ''} is live; ${watched}`, service);
}

/** Decides what a failure leads to, and does that. */
export async function afterFailure(
  session: Session,
  service: ServiceRun,
  candidate: Candidate,
  plan: ServicePlan,
  failure: ProcedureError,
): Promise<RollOutResult> {
  const { release, current } = candidate;
  const { begun } = service;
  const before = releaseBefore(current);
  const back = before === undefined ? undefined : await session.ledger.definition(before.id);
  const paused = plan.strategy === 'rolling' && candidate.definition.update.failureAction === 'pause';
  const failed: FailedChange = {
    begun,
    cancelled: failure.code === 'E_CANCELLED',
    warned: failure instanceof WarningSignError && failure.sign.action === 'fail',
    before: back === undefined ? 'nothing' : 'release',
    autoRollback: session.request.autoRollback && !paused,
  };
  const answer = decide(failed);
  const result = async (changed: boolean): Promise<RollOutResult> => {
    const outcome = outcomeOf(answer, failed);
    const live = await service.reportFailure(outcome, before?.id);
    return { service: candidate.service, outcome, error: failure, undoError: undefined, changed, live };
  };
  session.progress.error(`${candidate.service}: ${failure.message}`);
  const fault = blamesRelease(failure.code) ? failure.message : undefined;
  if (begun.some(({ kind }) => kind === 'run-release-command')) session.recorder.nextSteps.push(...ranWith(release));
  if (answer === 'take-back') {
    await takeBack(session, begun);
    return result(freedPort(session, plan));
  }
  if (answer === 'accept') {
    session.recorder.nextSteps.push(
      ...(failed.warned
        ? stepsAfterFailure(session, candidate)
        : [
            `${candidate.service}: release ${release.id} is live and verified, its watch was cut short. To go back: procedure rollback, rollback-to: previous.`,
          ]),
    );
    await keepLive(session, service, plan, candidate);
    return result(true);
  }
  if (failed.warned) {
    // Before the end of its verification it is live, and not accepted: nobody goes back to it.
    session.recorder.nextSteps.push(...stepsAfterFailure(session, candidate));
    return result(true);
  }
  const stays = answer === 'leave';
  const served = !stays && (await trafficBack(session, service, plan.strategy));
  await Promise.all([
    diagnoseFailure(session, candidate.service, candidate.definition, failure, stays || served ? 'calm' : 'hasty'),
    captureEvidence(session, session.project, candidate.service, 'failed', session.clock.deadline(60_000)).catch(
      (error: unknown) => session.progress.debug(`evidence: ${String(error)}`),
    ),
    service
      .countLog(session.clock.deadline(COUNT_MS))
      .catch((error: unknown) => session.progress.debug(`error lines: ${String(error)}`)),
  ]);
  if (stays || back === undefined) {
    session.recorder.nextSteps.push(...stepsAfterFailure(session, candidate));
    if (back === undefined) await markBad(session, candidate, fault);
    return result(true);
  }
  try {
    await goBack(session, service, candidate, back, fault);
  } catch (error) {
    const undoError = failureOf(error);
    await markBad(session, candidate, fault).catch((markError: unknown) => {
      session.progress.debug(`ledger: ${failureOf(markError).message}`); // the failure of the way back is what matters now
    });
    session.progress.error(`${candidate.service}: going back failed as well: ${undoError.message}`);
    const live = await service.reportFailure('rollback-failed', before?.id);
    session.recorder.nextSteps.push(...(await stepsAfterFailedUndo(session, candidate, back, live)));
    return { service: candidate.service, outcome: 'rollback-failed', error: failure, undoError, changed: true, live };
  }
  if (candidate.lifetime === 'ends') {
    session.recorder.nextSteps.push(
      `${candidate.service} is a job. What it changed before it failed stays, and release ${back.id} was not run again: check the data.`,
    );
  }
  return result(back.id !== current.release?.id);
}

/** @returns why a service that was changed because it did not serve does not serve now either */
async function brokenStill(session: Session, { service, decision }: Candidate): Promise<ProcedureError | undefined> {
  if (decision.kind !== 'change' || decision.repairs !== true) return undefined;
  const serving = await servingAfter(session, service, session.signal);
  return isServing(serving) ? undefined : notServing(service, serving);
}

/**
 * The old set is warm: it gets the requests back before anything else is done, evidence included. The way back, planned
 * from what the engine shows, comes after it.
 * @returns whether the old set has the requests
 */
async function trafficBack(session: Session, service: ServiceRun, strategy: StrategyName): Promise<boolean> {
  const { begun } = service;
  const shift = begun.findLast((operation) => operation.kind === 'shift-traffic');
  if (begun.some(endsOld)) return false;
  // Nothing was shifted, nothing was stopped: the old set never lost them.
  if (shift === undefined) return strategy !== 'recreate' && strategy !== 'hold';
  const compensation = compensationOf(shift);
  if (compensation.kind !== 'operation') return false;
  try {
    await service.execute(compensation.operation, session.clock.deadline(BACK_MS));
    return true;
  } catch (error) {
    session.progress.warning(`traffic could not be sent back at once: ${failureOf(error).message}`);
    return false;
  }
}

/** The old containers could take the requests again at once until now. */
function endsOld(operation: Operation): boolean {
  const { containers } = traitsOf(operation);
  return containers === 'retires' || containers === 'stops';
}

/** The containers were not touched: only what was prepared for them goes back, and nothing restarts. */
async function takeBack(session: Session, begun: readonly Operation[]): Promise<void> {
  for (const operation of begun.filter(takenBack)) {
    const compensation = compensationOf(operation);
    if (compensation.kind === 'operation') await session.execute(compensation.operation, never());
  }
}

/** Data that was kept from changing goes on already (`inOrder`). */
function takenBack(operation: Operation): boolean {
  return changesService(operation) && operation.kind !== 'freeze-data' && operation.kind !== 'thaw-data';
}

/** How long what is left of a change may take once its release is accepted. A run that is killed here is finished later. */
const FINISH_MS = 5 * 60_000;

/**
 * Verified and live: taking it down again would be an outage nobody asked for. What kept running beside it goes, as at the
 * end of a watch.
 */
async function keepLive(session: Session, service: ServiceRun, plan: ServicePlan, candidate: Candidate): Promise<void> {
  await service.execute({ kind: 'accept-release', service: candidate.service, release: candidate.release.id }, never());
  session.deployed.add(candidate.service);
  const accepted = plan.operations.findIndex(({ kind }) => kind === 'accept-release');
  const left = accepted < 0 ? [] : plan.operations.slice(accepted + 1);
  const deadline = session.clock.deadline(FINISH_MS);
  for (const operation of left.filter(({ kind }) => kind !== 'capture-evidence'))
    await service.execute(operation, deadline);
}

async function markBad(session: Session, candidate: Candidate, reason: string | undefined): Promise<void> {
  if (reason === undefined) return;
  await session.execute(
    { kind: 'reject-release', service: candidate.service, release: candidate.release.id, reason },
    never(),
  );
}

async function goBack(
  session: Session,
  service: ServiceRun,
  candidate: Candidate,
  back: ReleaseWithDefinition,
  reason: string | undefined,
): Promise<void> {
  const before = candidate.current.containers.map(({ id }) => id);
  const change = await planUndo(session, { candidate, back, failed: candidate.release.id, before, reason });
  const operations = undo(change, wayBack(service.begun));
  const data = await dataOfBefore(session, service.begun);
  const deadline = session.clock.deadline(data === undefined ? UNDO_DEADLINE_MS : DATA_UNDO_DEADLINE_MS);
  session.progress.info(`↩ ${candidate.service}: going back to release ${back.id}`);
  service.goBackTo(comingBack({ ...candidate, release: back }));
  const all = data === undefined ? operations : dataFirst(operations, data.restore, data.stop);
  for (const operation of all) await service.execute(operation, deadline);
  session.recorder.note(`release ${back.id} is back`, candidate.service);
}

/** What has to come back before the release of before: undefined when its data was not touched. */
async function dataOfBefore(
  session: Session,
  begun: readonly Operation[],
): Promise<{ readonly restore: Parameters<typeof dataFirst>[1]; readonly stop: Freeze } | undefined> {
  const restore = begun.find((operation) => operation.kind === 'restore-data');
  if (restore?.safety === undefined) return undefined;
  const { service } = restore;
  const containers = (await session.engine.containers(session.project, service)).map(({ id }) => id);
  return {
    restore: { ...restore, safety: restore.safety },
    stop: { service, how: 'stop', containers, quiesceCommand: undefined, resumeCommand: undefined },
  };
}

/** @returns a signal that does not abort: for records that must be written whatever happens */
function never(): AbortSignal {
  return new AbortController().signal;
}
