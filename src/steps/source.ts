import path from 'node:path';
import { short } from '../model/units.js';
import { ProcedureError } from '../model/errors.js';
import type { OpenProject, Session, Viewing } from './session.js';
import { buildsOnce } from './build-once.js';
import { beginDeployment } from './deployment.js';
import { passHostGate } from './gates/engine-host.js';
import { passCommitGates } from './gates/index.js';
import { passProjectGate } from './gates/project.js';
import { worktreesFolder } from './run-leftovers.js';
import { renderWanted, wantedFromLive, type WantedProject } from './wanted.js';
import type { Run } from '../run/run.js';

/** Commits shown of what a deploy brings. */
const SHOWN_COMMITS = 50;

/**
 * Fetches what is wanted, shows what is new, takes it as a worktree and renders it.
 * Without a git checkout the files as they lie are what is wanted.
 */
export async function fetchWanted(session: Session): Promise<WantedProject> {
  const { opened, request } = session;
  const commit = await fetchCommit(session, opened, session.signal);
  if (commit === undefined) {
    if (isKnownNow(session)) beginDeployment(session, undefined);
    return wantedFromLive(opened, request.workingDirectory);
  }
  await showNew(session, opened, commit);
  await passCommitGates(session, commit.commit);
  if (isKnownNow(session)) beginDeployment(session, commit.commit);
  // No tracked file differs from the commit (a gate saw to that), and an image needs no build context.
  if (request.image !== undefined && commit.commit === opened.checkout?.commit) {
    return wantedFromLive(opened, request.workingDirectory);
  }
  return takeWorktree(session, commit.commit, commit.label);
}

/** A rollback has yet to find out what comes back, and what is built once is not known by its digest before it is built. */
function isKnownNow(session: Session): boolean {
  return session.request.procedure !== 'rollback' && !buildsOnce(session);
}

/** @returns what git fetches with, if anything */
export function tokenToFetch({ request }: Run): string | undefined {
  return request.fetchToken ?? request.githubToken;
}

/** Fetches the wanted ref; @returns undefined outside git, where `ref` is refused */
export async function fetchCommit(
  run: Run,
  opened: OpenProject,
  signal: AbortSignal,
): Promise<{ readonly commit: string; readonly label: string } | undefined> {
  const { request, invocation, source } = run;
  if (opened.checkout === undefined) {
    if (request.ref === undefined) return undefined;
    throw new ProcedureError(
      'E_SOURCE',
      `${request.workingDirectory} is not a git checkout, so ref "${request.ref}" means nothing`,
      {
        next: 'Clone the repository there, or leave ref out to use the files as they lie.',
      },
    );
  }
  const { topLevel, origin, commit } = opened.checkout;
  if (origin === undefined && request.ref === undefined) {
    return commit === undefined ? undefined : { commit, label: 'the checkout as it is' };
  }
  const ref = request.ref ?? invocation.sha;
  return run.recorder.step(`fetch ${ref === undefined ? 'the default branch' : short(ref)}`, undefined, async () =>
    source.fetch(topLevel, ref, tokenToFetch(run), signal),
  );
}

/** The runbook's `git log HEAD..origin/main --oneline`. */
export async function showNew(
  run: Run,
  opened: OpenProject,
  wanted: { readonly commit: string; readonly label: string },
): Promise<void> {
  const from = opened.checkout?.commit;
  if (opened.checkout === undefined || from === undefined) return;
  if (from === wanted.commit) {
    run.progress.info(`checked out already: ${wanted.label} (${from.slice(0, 12)})`);
    return;
  }
  const commits = await run.source.log(opened.checkout.topLevel, from, wanted.commit, SHOWN_COMMITS);
  run.recorder.commits = commits;
  run.progress.info(`new in ${wanted.label}: ${commits.length === 0 ? 'nothing (it goes back)' : ''}`);
  for (const line of commits) run.progress.info(`  ${line}`);
}

/** Takes a commit as a worktree that lives until the end of the run, and renders its compose files. */
export async function takeWorktree(session: Session, commit: string, label: string): Promise<WantedProject> {
  const { directory, path: worktree } = planWorktree(session, commit);
  await session.execute({ kind: 'add-worktree', directory, path: worktree, commit }, session.signal);
  return asOurs(session, await renderWanted(session, session.opened, worktree, commit, label));
}

/** The same for a dry run, which has no journal: the worktree is the only thing made, and it goes at the end. */
export async function viewWorktree(viewing: Viewing, commit: string, label: string): Promise<WantedProject> {
  const { directory, path: worktree } = planWorktree(viewing, commit);
  await viewing.source.addWorktree(directory, worktree, commit);
  return asOurs(viewing, await renderWanted(viewing, viewing.opened, worktree, commit, label));
}

/** The wanted commit may take names and volumes that the files as they lie do not. */
async function asOurs(viewing: Viewing, wanted: WantedProject): Promise<WantedProject> {
  await passProjectGate(viewing, wanted.project);
  await passHostGate(viewing, wanted.project);
  return wanted;
}

function planWorktree(viewing: Viewing, commit: string): { readonly directory: string; readonly path: string } {
  const { opened, request, invocation } = viewing;
  const directory = opened.checkout?.topLevel ?? request.workingDirectory;
  const entry = { directory, path: path.join(worktreesFolder(request), invocation.runId, commit.slice(0, 12)) };
  viewing.worktrees.push(entry);
  return entry;
}

/** Removes the worktrees of a run; a failure is only a note, the next run tries again. */
export async function removeWorktrees(viewing: Viewing): Promise<void> {
  for (const { directory, path: worktree } of viewing.worktrees.splice(0)) {
    await viewing.source.removeWorktree(directory, worktree).catch((error: unknown) => {
      viewing.progress.debug(`worktree ${worktree}: ${String(error)}`);
    });
  }
}
