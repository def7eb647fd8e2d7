import { reasonOf } from '../run/deadline.js';
import { asProcedureError, ProcedureError, type ErrorCode } from '../model/errors.js';
import { EventFeed } from '../run/events.js';
import { Executor } from '../run/executor.js';
import type { LockedRun, Run } from '../run/run.js';
import { performersFor } from './performers.js';
import type { OpenProject, Session, Viewing } from './session.js';
import { removeStaleRendered } from './rendered.js';
import { removeWorktrees } from './source.js';

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
  };
}

/**
 * Takes the lock, opens the journal, and lets `body` work; whatever happens, ends both. A fenced run leaves its journal
 * open: the run that took over finishes or undoes it.
 * @throws ProcedureError E_LOCKED naming the owner
 */
export async function withSession<T>(
  run: Run,
  opened: OpenProject,
  interrupt: boolean,
  body: (session: Session, abandoned: readonly string[]) => Promise<T>,
): Promise<T> {
  const view = viewing(run, opened);
  const { project } = view;
  const records = run.records(project);
  const lock = await records.locks.acquire({
    invocation: run.invocation,
    procedure: run.request.procedure,
    timeoutMs: run.request.lockTimeoutMs,
    interrupt,
    yieldMs: YIELD_MS,
    signal: run.cancelled,
    onWaiting: (owner) => run.progress.info(`waiting for ${owner.procedure} by ${owner.actor}, since ${owner.since}`),
  });
  const events = new EventFeed(run.engine, project);
  const locked: LockedRun = {
    ...view,
    ...records,
    lock,
    signal: AbortSignal.any([run.cancelled, lock.yieldRequested]),
  };
  const session = openSession(locked, view, events);
  let leaveOpen = false;
  try {
    await removeStaleRendered(session);
    await records.journal.open({
      run: run.invocation.runId,
      at: new Date().toISOString(),
      procedure: run.request.procedure,
      invocation: run.invocation,
      workingDirectory: run.request.workingDirectory,
      plan: { procedure: run.request.procedure, preparation: [], services: [] },
    });
    return await body(session, lock.abandoned);
  } catch (error) {
    leaveOpen = LEFT_OPEN.has(asProcedureError(error).code);
    // An abort that surfaced as something else (a closed socket, a killed child) is still the abort.
    if (locked.signal.aborted && !(error instanceof ProcedureError)) throw reasonOf(locked.signal);
    throw error;
  } finally {
    await removeWorktrees(view);
    await untagUnaccepted(session);
    await events.close();
    if (!leaveOpen) await closeRun(session);
  }
}

function openSession(locked: LockedRun, view: Viewing, events: EventFeed): Session {
  const executor = new Executor(
    locked,
    performersFor(() => session),
  );
  const session: Session = {
    ...view,
    ...locked,
    events,
    execute: (operation, signal) => executor.execute(operation, signal),
    begun: executor.begun,
    candidates: new Map(),
    builds: new Map(),
    expectedHashes: new Map(),
    lookers: new Map(),
    unacceptedTags: new Set(),
    deployed: new Set(),
    startCommit: view.opened.checkout?.commit,
    liveCommit: { value: view.opened.checkout?.commit },
  };
  return session;
}

/** Images that were built or pulled and did not become an accepted release are left to the engine's own cleaning. */
async function untagUnaccepted(session: Session): Promise<void> {
  for (const tag of session.unacceptedTags) {
    await session.engine.untagImage(tag).catch((error: unknown) => {
      session.progress.debug(`tag ${tag}: ${String(error)}`); // a tag too many harms nothing
    });
  }
}

async function closeRun(session: Session): Promise<void> {
  const { journal, lock, invocation, progress } = session;
  try {
    await journal.close(invocation.runId, 'ended');
    await lock.release();
  } catch (error) {
    const failure = asProcedureError(error);
    progress.warning(
      `the lock of ${session.project} could not be given back: ${failure.message}; the next run takes it over`,
    );
  }
}
