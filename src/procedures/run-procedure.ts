import { asProcedureError, failureOf, type ErrorCode, type ProcedureError } from '../model/errors.js';
import { isGreen, type OutcomeKind } from '../model/outcome.js';
import type { RunReport } from '../model/report.js';
import { buildReport } from '../run/build-report.js';
import type { Run } from '../run/run.js';
import { describeDeployment, endDeployment, endLeftDeployment } from '../steps/deployment.js';
import { describeHooks, hookAfter, hookBefore } from '../steps/hooks.js';
import { describeNotifications, tellEnd, tellStart } from '../steps/notify.js';
import { warnOfDependents } from '../steps/left-dependents.js';
import { deleteOldBackups } from '../steps/old-backups.js';
import { dropOldReleases } from '../steps/old-releases.js';
import { openProject } from '../steps/open-project.js';
import type { OpenProject, Session, Viewing } from '../steps/session.js';
import { viewing, withSession } from '../steps/with-session.js';
import { recordSlo } from '../steps/slo.js';
import { passHostGate } from '../steps/gates/engine-host.js';
import { passOpeningGates } from '../steps/gates/index.js';
import { passProjectGate } from '../steps/gates/project.js';
import { removeWorktrees } from '../steps/source.js';
import { asMeant } from './going-back.js';
import { ALL_PROCEDURES } from './index.js';
import { ended, type Procedure, type ProcedureResult } from './procedure.js';

/** Carries one procedure out, from the open project to the report. Never throws: the report says what happened. */
export async function runProcedure(asked: Run): Promise<RunReport> {
  let run = asked;
  let result: ProcedureResult;
  try {
    const opened = await openOrSay(asked);
    run = await asMeant(asked, opened);
    result = await conduct(run, opened, ALL_PROCEDURES[run.request.procedure]);
  } catch (error) {
    result = failedBeforeItsEnd(run, asProcedureError(error));
  }
  if (ALL_PROCEDURES[run.request.procedure].perform === undefined || run.request.dryRun)
    return buildReport(run, result);
  await endDeployment(run, buildReport(run, result));
  await tellEnd(run, buildReport(run, result));
  return buildReport(run, result);
}

async function openOrSay(run: Run): Promise<OpenProject> {
  try {
    return await openProject(run);
  } catch (error) {
    const { procedure, dryRun } = run.request;
    if (!dryRun) await ALL_PROCEDURES[procedure].cannotBegin?.(run, asProcedureError(error));
    throw error;
  }
}

/**
 * Finishes or undoes what a run left that was killed: the action's `post`, and a shell's `recover`.
 * @param killed the run, where it is known: it may have come to all but its very end
 */
export async function recoverAbandoned(run: Run, killed?: string): Promise<RunReport> {
  let result: ProcedureResult;
  let repaired: readonly string[] = [];
  try {
    const opened = await openProject(run);
    result = await withSession(run, opened, { interrupt: false, goOn: false }, async (session, { said, broken }) => {
      repaired = said;
      if (killed !== undefined) {
        // A dry run has no journal that a recovery would read.
        await session.traces.removeHelpers(session.project, [killed]);
        await endLeftDeployment(session, killed);
      }
      await joinThread(session);
      await warnOfDependents(session);
      const words = said.length === 0 ? 'nothing was left to repair' : said.join('; ');
      return broken[0] === undefined ? ended('completed', words) : stillBroken(words, broken[0], broken);
    });
  } catch (error) {
    result = failedBeforeItsEnd(run, asProcedureError(error));
  }
  await run.deployment.settle();
  const report = buildReport(run, result);
  if (repaired.length === 0 && report.error === undefined) return report;
  // Whoever was told of the beginning hears how the killed run ended.
  await tellEnd(run, { ...report, outcome: 'failed', headline: `the run was not finished; ${report.headline}` });
  return buildReport(run, result);
}

/** What the killed run left is dealt with, and a service of it does not serve: that is no green job. */
function stillBroken(words: string, error: ProcedureError, all: readonly ProcedureError[]): ProcedureResult {
  const headline = `${words}; ${all.map(({ message }) => message).join('; ')}`;
  return { outcome: 'failed', headline, error, undoError: undefined, changed: false };
}

async function conduct(run: Run, opened: OpenProject, procedure: Procedure): Promise<ProcedureResult> {
  const { perform } = procedure;
  if (perform !== undefined) {
    await passProjectGate(viewing(run, opened));
    await passHostGate(viewing(run, opened));
  }
  if (run.request.dryRun || perform === undefined) {
    const view = viewing(run, opened);
    if (perform !== undefined) {
      describeHooks(view);
      describeNotifications(view);
      describeDeployment(view);
    }
    try {
      if (perform !== undefined) {
        passOpeningGates(view);
        await warnOfLeft(view);
      }
      return await procedure.preview(view);
    } finally {
      await removeWorktrees(view);
    }
  }
  const { interrupts } = procedure;
  // Who does not get the lock is told of in the same thread as well.
  await joinThread(viewing(run, opened));
  return withSession(run, opened, { interrupt: interrupts, goOn: interrupts || run.request.force }, async (session) => {
    await joinThread(session);
    passOpeningGates(session);
    tellStart(session);
    const result = await withHooks(session, perform);
    await Promise.all([
      dropOldReleases(session),
      deleteOldBackups(session),
      recordSlo(session),
      warnOfDependents(session),
    ]);
    return result;
  });
}

/** What a recovery makes of the services is known only after it, so the dry run says what its plan does not show. */
async function warnOfLeft({ records, project, progress, recorder }: Viewing): Promise<void> {
  const left = await records(project).locks.left();
  if (left.length === 0) return;
  progress.warning(
    `Not finished: run ${left.join(', ')}. The next run repairs that first; this plan does not show it.`,
  );
  recorder.nextSteps.push('To see the plan without unfinished runs: rolling-restart recover, then the dry run again.');
}

/** How messages are sorted is no reason to fail. */
async function joinThread(viewing: Viewing): Promise<void> {
  const { recorder, request, progress } = viewing;
  try {
    recorder.thread = await ALL_PROCEDURES[request.procedure].thread?.(viewing);
  } catch (error) {
    progress.debug(`thread of the messages: ${asProcedureError(error).message}`);
  }
}

async function withHooks(session: Session, perform: NonNullable<Procedure['perform']>): Promise<ProcedureResult> {
  await hookBefore(session);
  try {
    const result = await perform(session);
    // A run that lost its lock has no result, whatever a step made of the error, and it has no effect any more.
    await session.lock.check();
    const failure = await hookAfter(session, result.outcome);
    return failure === undefined || !isGreen(result.outcome) ? result : withoutItsHook(result, failure);
  } catch (error) {
    await hookAfter(session, outcomeOf(failureOf(error), session.recorder.changed));
    throw error;
  }
}

/** The work is done and stays; the hook that belongs to it is not, and so the job is red. */
function withoutItsHook(result: ProcedureResult, error: ProcedureError): ProcedureResult {
  return { ...result, outcome: 'failed', headline: `${result.headline}; after that: ${error.message}`, error };
}

/** Errors that say "no" before anything was done. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set([
  'E_INPUT',
  'E_ENGINE_UNREACHABLE',
  'E_ENGINE_TOO_OLD',
  'E_COMPOSE_FILE',
  'E_SERVICE',
  'E_GATE',
  'E_PROJECT',
  'E_HOST',
  'E_WOULD_LOSE',
  'E_SOURCE',
  'E_ROLLBACK_TARGET',
  'E_BACKUP',
  'E_BAD_RELEASE',
  'E_LOCKED',
  'E_REMEDY',
]);

function failedBeforeItsEnd(run: Run, error: ProcedureError): ProcedureResult {
  const { changed } = run.recorder;
  return { outcome: outcomeOf(error, changed), headline: error.message, error, undoError: undefined, changed };
}

function outcomeOf(error: ProcedureError, changed: boolean): OutcomeKind {
  if (error.code === 'E_CANCELLED' || error.code === 'E_FENCED') return 'cancelled';
  if (!changed && REFUSALS.has(error.code)) return 'refused';
  return 'failed';
}
