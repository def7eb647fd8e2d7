import { reasonOf } from '../run/abort-reason.js';
import { asProcedureError, ProcedureError, type ErrorCode } from '../model/errors.js';
import type { OutcomeKind } from '../model/outcome.js';
import type { Doing } from '../model/ports/progress.js';
import { EventFeed } from '../run/events.js';
import type { LockedRun, Run } from '../run/run.js';
import { removeRunLeftovers } from './run-leftovers.js';
import { openProject } from './open-project.js';
import { ChangeMeter } from './live-state.js';
import { openSession } from './open-session.js';
import { recoverAll } from './recover.js';
import type { Recovered } from './serve-again.js';
import type { OpenProject, Session, Viewing } from './session.js';
import { removeWorktrees } from './source.js';
import { TrafficProof } from './traffic-proof.js';

/** How long a run that was asked to yield may take to come to a safe point before it is fenced. */
const YIELD_MS = 20_000;

/** After these the journal stays open, and the next run finishes or undoes what is left. */
const LEFT_OPEN: ReadonlySet<ErrorCode> = new Set(['E_FENCED', 'E_RECOVERY']);

/** @returns the run as one that only looks */
export function viewing(run: Run, opened: OpenProject): Viewing {
  const project = opened.live.name;
  return {
    ...run,
    opened,
    project,
    ledger: run.records(project).ledger,
    signal: run.cancelled,
    worktrees: [],
    kept: new Set(),
  };
}

/**
 * Takes the lock, opens the journal, finishes or undoes what killed runs left, and lets `body` work; whatever happens,
 * ends both. A run that was fenced, or whose undo failed, leaves its journal open: the next run finishes or undoes it.
 * @param goOn what `recoverAll` says of it
 * @throws ProcedureError E_LOCKED naming the owner; E_RECOVERY
 */
export async function withSession<T extends { readonly outcome: OutcomeKind }>(
  run: Run,
  opened: OpenProject,
  { interrupt, goOn }: { readonly interrupt: boolean; readonly goOn: boolean },
  body: (session: Session, recovered: Recovered) => Promise<T>,
): Promise<T> {
  const view = viewing(run, opened);
  const { project } = view;
  const records = run.records(project);
  let waiting: Doing | undefined;
  const acquiring = records.locks.acquire({
    invocation: run.invocation,
    procedure: run.request.procedure,
    timeoutMs: run.request.lockTimeoutMs,
    interrupt,
    yieldMs: YIELD_MS,
    signal: run.cancelled,
    onWaiting: (owner) => {
      waiting ??= run.progress.doing('lock of the project');
      waiting.waitsFor(`${owner.procedure} by ${owner.actor}, since ${owner.since}`);
      run.progress.info(`waiting for ${owner.procedure} by ${owner.actor}, since ${owner.since}`);
    },
  });
  const lock = await acquiring.finally(() => waiting?.end());
  const events = new EventFeed(run.engine, project, run.clock);
  const locked: LockedRun = {
    ...view,
    ...records,
    lock,
    signal: AbortSignal.any([run.cancelled, lock.yieldRequested]),
  };
  const proof = new TrafficProof(run);
  const meter = new ChangeMeter();
  let session: Session | undefined;
  let leaveOpen = false;
  try {
    await removeRunLeftovers(view);
    await records.journal.open({
      run: run.invocation.runId,
      at: new Date(run.clock.now()).toISOString(),
      procedure: run.request.procedure,
      invocation: run.invocation,
      workingDirectory: run.request.workingDirectory,
      plan: { procedure: run.request.procedure, preparation: [], services: [] },
      environment: run.request.deployment.environment,
    });
    // Who held the lock before may have moved the checkout since it was looked at, and so may recovering.
    const present = async (changed: boolean): Promise<Viewing> =>
      changed ? { ...view, opened: await openProject(run) } : view;
    const found = await present(waiting !== undefined);
    const recovered = await recoverAll(
      locked,
      (place) => openSession(locked, found, events, undefined, meter, place),
      goOn,
    );
    session = openSession(locked, recovered.said.length === 0 ? found : await present(true), events, proof, meter);
    const result = await body(session, recovered);
    leaveOpen = result.outcome === 'rollback-failed';
    run.recorder.difference = await meter.difference(session);
    await lock.check();
    return result;
  } catch (error) {
    // An abort that surfaced as something else (a closed socket, a killed child) is still the abort.
    const abort = locked.signal.aborted && !(error instanceof ProcedureError);
    const failure = (await lostLock(lock)) ?? asProcedureError(abort ? reasonOf(locked.signal) : error);
    leaveOpen = LEFT_OPEN.has(failure.code);
    // Whoever fenced this run is changing something.
    if (session !== undefined && failure.code !== 'E_FENCED') run.recorder.difference = await meter.difference(session);
    throw failure;
  } finally {
    await proof.end();
    await removeWorktrees(view);
    // The run that took the lock over may accept what this one built.
    if (session !== undefined && !leaveOpen) await untagUnaccepted(session);
    await events.close();
    await (leaveOpen ? leaveRun(locked) : closeRun(locked));
  }
}

/** Images that were built or pulled and did not become an accepted release are left to the engine's own cleaning. */
async function untagUnaccepted(session: Session): Promise<void> {
  for (const tag of session.unacceptedTags) {
    await session.engine.untagImage(tag).catch((error: unknown) => {
      session.progress.debug(`tag ${tag}: ${String(error)}`); // a tag too many harms nothing
    });
  }
}

/** Whoever takes the lock next gets the run among those to recover. A fenced run has no lock any more. */
async function leaveRun({ lock, progress, project }: LockedRun): Promise<void> {
  await lock.leave().catch((error: unknown) => {
    // Its owner is gone when this process ends, and then it is taken over in the same way.
    progress.debug(`lock of ${project}: ${asProcedureError(error).message}`);
  });
}

/**
 * The one rule for a lost lock: the run ends fenced and its journal stays open, whatever a step made of the error.
 * @returns E_FENCED; undefined when the lock is still ours, or the engine does not tell
 */
async function lostLock(lock: LockedRun['lock']): Promise<ProcedureError | undefined> {
  try {
    await lock.check();
    return undefined;
  } catch (error) {
    const failure = asProcedureError(error);
    return failure.code === 'E_FENCED' ? failure : undefined;
  }
}

async function closeRun(run: LockedRun): Promise<void> {
  const { journal, lock, invocation, progress } = run;
  try {
    await journal.close(invocation.runId, 'ended');
    await lock.release();
  } catch (error) {
    const failure = asProcedureError(error);
    progress.warning(
      `the lock of ${run.project} could not be given back: ${failure.message}; the next run takes it over`,
    );
  }
}
