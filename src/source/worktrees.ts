import { access, mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { ProcedureError } from '../model/errors.js';
import { NETWORK_MS, gitFailed, type GitCli } from './git-cli.js';
import { leftWorktrees, removeEmptyFolders, writeOwner } from './worktree-owner.js';
import type { ConfigPair } from './git-config.js';

/**
 * Takes a commit as a worktree. Submodules are filled in when the commit has any, since a build without them fails in
 * ways that are hard to read; large files (LFS) are whatever the host's git makes of them.
 */
export async function addWorktree(
  git: GitCli,
  directory: string,
  place: string,
  commit: string,
  config: readonly ConfigPair[],
): Promise<void> {
  await removeWorktree(git, directory, place);
  await mkdir(path.dirname(place), { recursive: true });
  await writeOwner(path.dirname(place), directory);
  const what = `Taking commit ${commit.slice(0, 12)} as a worktree failed`;
  await git.text({ directory, args: ['worktree', 'add', '--detach', '--force', '--quiet', place, commit] }, what);
  if (!(await exists(path.join(place, '.gitmodules')))) return;
  const args = ['submodule', '--quiet', 'update', '--init'];
  await git.text({ directory: place, args, config, timeoutMs: NETWORK_MS }, 'Filling in the submodules failed');
}

/**
 * Takes a worktree away: one that is half there (its folder without git's entry, or the entry without the folder) too.
 * The folder goes first, because git refuses to remove a worktree that lacks its `.git`, but forgets one that is
 * missing. `git worktree prune` is not used: it would also forget worktrees of a person on a disk that is not mounted.
 */
export async function removeWorktree(git: GitCli, directory: string, place: string): Promise<void> {
  await rm(place, { recursive: true, force: true, maxRetries: 3 });
  await removeEmptyFolders(path.dirname(place));
  if (!(await exists(directory))) return;
  const result = await git.run({ directory, args: ['worktree', 'remove', '--force', '--force', place] });
  if (result.exitCode === 0 || /is not a working tree/.test(result.stderr)) return;
  throw gitFailed(`Removing the worktree ${place} failed`, result);
}

/** Takes away what runs left that do not run any more, of whatever checkout. */
export async function removeLeftWorktrees(git: GitCli, folder: string): Promise<void> {
  for (const left of await leftWorktrees(folder)) {
    for (const place of left.places) {
      if (left.directory === undefined) await rm(place, { recursive: true, force: true, maxRetries: 3 });
      else await removeWorktree(git, left.directory, place);
    }
    await removeEmptyFolders(left.folder);
  }
}

/**
 * Moves a checkout to a commit with a detached HEAD: a branch is a person's and is never moved. Files that git does not
 * track stay, ignored ones too (git itself would overwrite an ignored `.env` that the commit tracks without a word).
 * Submodules of the checkout stay as they are, as with `git pull`.
 */
export async function moveCheckout(git: GitCli, directory: string, commit: string): Promise<void> {
  const args = ['checkout', '--quiet', '--detach', '--no-overwrite-ignore', commit, '--'];
  const result = await git.run({ directory, args });
  if (result.exitCode === 0) return;
  const files = result.stderr.split('\n').flatMap((line) => (line.startsWith('\t') ? [line.trim()] : []));
  if (files.length === 0) throw gitFailed(`Moving the checkout to ${commit.slice(0, 12)} failed`, result);
  const untracked = result.stderr.includes('untracked working tree files');
  const kind = untracked ? 'that git does not track' : 'that were modified here';
  throw new ProcedureError(
    'E_SOURCE',
    `Commit ${commit.slice(0, 12)} would overwrite files ${kind}: ${files.join(', ')}`,
    {
      next: untracked
        ? `Move them out of ${directory} (the commit brings its own), then start again. Nothing was changed.`
        : 'Commit these changes and push them, or take them back (git checkout -- FILE). Nothing was changed.',
    },
  );
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
