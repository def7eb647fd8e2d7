import { lstat, rm } from 'node:fs/promises';
import path from 'node:path';
import { ProcedureError } from '../model/errors.js';
import type { Checkout, FetchedRef, Source } from '../model/ports/source.js';
import { createGitCli, type GitCli } from './git-cli.js';
import { fetchRef } from './fetch-ref.js';

/**
 * A git checkout through the git CLI. A person's branch is never moved: the checkout is detached at the wanted commit,
 * so no commit can be lost by it.
 * @param environment what git children get; credentials and helpers of the runner's user come from there
 */
export function createSource(environment: Readonly<Record<string, string>>): Source {
  const git = createGitCli(environment);
  return {
    inspect: (directory) => inspect(git, directory),
    fetch: (directory, ref, token, signal): Promise<FetchedRef> => fetchRef(git, { directory, ref, token, signal }),
    log: async (directory, from, to, limit) => {
      const output = await git.read(directory, ['log', '--format=%h %s', `--max-count=${limit}`, `${from}..${to}`, '--']);
      return output.split('\n').filter((line) => line !== '');
    },
    addWorktree: (directory, worktree, commit) => addWorktree(git, directory, worktree, commit),
    removeWorktree: async (directory, worktree) => {
      await git.attempt(directory, ['worktree', 'remove', '--force', '--force', worktree]);
      await rm(worktree, { recursive: true, force: true });
      await git.attempt(directory, ['worktree', 'prune']);
    },
    checkout: (directory, commit) => checkout(git, directory, commit),
    resolve: (directory, ref) => resolve(git, directory, ref),
    untracked: async (directory) => {
      const output = await git.read(directory, ['ls-files', '--others', '--directory', '--no-empty-directory', '-z']);
      return output.split('\0').filter((entry) => entry !== '');
    },
    treeId: async (directory, commit, file) => {
      const name = file === '.' ? `${commit}^{tree}` : `${commit}:${file}`;
      const result = await git.attempt(directory, ['rev-parse', '--verify', '--quiet', name]);
      return result.exitCode === 0 ? result.stdout.trim() : undefined;
    },
  };
}

async function inspect(git: GitCli, directory: string): Promise<Checkout | undefined> {
  const top = await git.attempt(directory, ['rev-parse', '--show-toplevel']);
  if (top.exitCode !== 0) return undefined;
  const topLevel = top.stdout.trim();
  const [head, branch, status, origin] = await Promise.all([
    git.attempt(topLevel, ['rev-parse', '--verify', '--quiet', 'HEAD']),
    git.attempt(topLevel, ['symbolic-ref', '--short', '--quiet', 'HEAD']),
    git.read(topLevel, ['status', '--porcelain=v1', '-z', '--untracked-files=no', '--ignore-submodules=untracked']),
    git.attempt(topLevel, ['remote', 'get-url', 'origin']),
  ]);
  return {
    topLevel,
    commit: head.exitCode === 0 ? head.stdout.trim() : undefined,
    branch: branch.exitCode === 0 ? branch.stdout.trim() : undefined,
    modified: modifiedFiles(status),
    origin: origin.exitCode === 0 ? origin.stdout.trim() : undefined,
  };
}

/** `XY path`, zero-terminated; a rename is followed by the name it had, which is not a file any more. */
function modifiedFiles(status: string): readonly string[] {
  const files: string[] = [];
  const entries = status.split('\0');
  for (let index = 0; index < entries.length; index += 1) {
    const entry = entries[index] ?? '';
    if (entry === '') continue;
    files.push(entry.slice(3));
    if (entry.startsWith('R') || entry.startsWith('C')) index += 1;
  }
  return files;
}

async function addWorktree(git: GitCli, directory: string, worktree: string, commit: string): Promise<void> {
  await git.attempt(directory, ['worktree', 'prune']);
  await git.read(directory, ['worktree', 'add', '--detach', '--force', worktree, commit]);
  // A worktree does not bring submodules along; a build that needs them would fail on empty folders.
  const modules = await lstat(path.join(worktree, '.gitmodules')).catch(() => undefined);
  if (modules !== undefined) await git.read(worktree, ['submodule', 'update', '--init', '--recursive']);
}

async function checkout(git: GitCli, directory: string, commit: string): Promise<void> {
  const result = await git.attempt(directory, ['checkout', '--detach', '--quiet', commit, '--']);
  if (result.exitCode === 0) return;
  throw new ProcedureError('E_SOURCE', `The checkout ${directory} could not be moved to ${commit.slice(0, 12)}`, {
    next: 'git says below what is in the way; move or commit it, then start again. The checkout is as it was.',
    excerpt: [{ title: 'git checkout', lines: result.stderr.trim().split('\n').slice(-20) }],
  });
}

async function resolve(git: GitCli, directory: string, ref: string): Promise<string | undefined> {
  for (const name of [ref, `origin/${ref}`]) {
    const result = await git.attempt(directory, ['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`]);
    if (result.exitCode === 0) return result.stdout.trim();
  }
  return undefined;
}
