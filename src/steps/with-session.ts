import { reasonOf } from '../run/deadline.js';
import { asProcedureError, ProcedureError, type ErrorCode } from '../model/errors.js';
import type { Doing } from '../model/ports/progress.js';
import { EventFeed } from '../run/events.js';
import type { LockedRun, Run } from '../run/run.js';
import { openProject } from './open-project.js';
import { openSession } from './open-session.js';
import { recoverAll } from './recover.js';
import type { OpenProject, Session, Viewing } from './session.js';
import { removeStaleRendered } from './rendered.js';
import { removeWorktrees } from './source.js';
import { TrafficProof } from './traffic-proof.js';

/** How long a run that was asked to yield may take to come to a safe point before it is fenced. */
const YIELD_MS = 20_000;

/** After these the lock is not given back: the process ends, and the next run finishes or undoes what is left. */
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
 * ends both. A fenced run leaves its journal open: the run that took over finishes or undoes it.
 * @param goOn what `recoverAll` says of it
 * @throws ProcedureError E_LOCKED naming the owner; E_RECOVERY
 */
export async function withSession<T>(
  run: Run,
  opened: OpenProject,
  { interrupt, goOn }: { readonly interrupt: boolean; readonly goOn: boolean },
  body: (session: Session, recovered: readonly string[]) => Promise<T>,
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
  const events = new EventFeed(run.engine, project);
  const locked: LockedRun = {
    ...view,
    ...records,
    lock,
    signal: AbortSignal.any([run.cancelled, lock.yieldRequested]),
  };
  const proof = new TrafficProof(run);
  let session: Session | undefined;
  let leaveOpen = false;
  try {
    await removeStaleRendered(view);
    await records.journal.open({
      run: run.invocation.runId,
      at: new Date().toISOString(),
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
    const recovered = await recoverAll(locked, (place) => openSession(locked, found, events, undefined, place), goOn);
    session = openSession(locked, recovered.length === 0 ? found : await present(true), events, proof);
    return await body(session, recovered);
  } catch (error) {
    leaveOpen = LEFT_OPEN.has(asProcedureError(error).code);
    // An abort that surfaced as something else (a closed socket, a killed child) is still the abort.
    if (locked.signal.aborted && !(error instanceof ProcedureError)) throw reasonOf(locked.signal);
    throw error;
  } finally {
    await proof.end();
    await removeWorktrees(view);
    if (session !== undefined) await untagUnaccepted(session);
    await events.close();
    if (!leaveOpen) await closeRun(locked);
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
