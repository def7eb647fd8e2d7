import { access } from 'node:fs/promises';
import path from 'node:path';
import { ProcedureError } from '../model/errors.js';
import type { Checkout, Source } from '../model/ports/source.js';
import type { Environment } from '../host/environment.js';
import { GitCli, gitFailed } from './git-cli.js';
import { fetchRef } from './fetch.js';
import { loginConfiguration, withoutCredentials, type ConfigPair } from './git-config.js';
import { readTree } from './tree.js';
import { addWorktree, moveCheckout, removeLeftWorktrees, removeWorktree } from './worktrees.js';

export interface SourceOptions {
  /** The process's own unless given. */
  readonly environment?: Environment;
  readonly debug?: (line: string) => void;
}

/**
 * Git checkouts through the git CLI (2.31 or newer), so that the user's own configuration, credential helpers and SSH
 * keys work as they do in their shell.
 */
export function createSource(options: SourceOptions = {}): Source {
  const git = new GitCli(options.environment ?? process.env, options.debug ?? (() => undefined));
  /** The token of the last fetch: submodules of a worktree come from the same server. */
  let lastToken: readonly ConfigPair[] = [];

  const topLevel = (directory: string): Promise<string> =>
    git.text({ directory, args: ['rev-parse', '--show-toplevel'] }, `${directory} is not in a git checkout`);
  /** Of each checkout, asked once: a run looks at it and then fetches from it. */
  const origins = new Map<string, Promise<string | undefined>>();
  const origin = (directory: string): Promise<string | undefined> => {
    const known = origins.get(directory);
    if (known !== undefined) return known;
    const asked = git.maybe({ directory, args: ['remote', 'get-url', 'origin'] });
    origins.set(directory, asked);
    return asked;
  };
  const commitOf = (directory: string, ref: string): Promise<string | undefined> =>
    git.maybe({ directory, args: ['rev-parse', '--verify', '--quiet', `${ref}^{commit}`] });

  return {
    async inspect(directory) {
      if (!(await isInside(directory))) return undefined;
      const found = await git.run({ directory, args: ['rev-parse', '--show-toplevel'] });
      if (found.exitCode !== 0) {
        if (/not a git repository|must be run in a work tree/.test(found.stderr)) return undefined;
        throw gitFailed(`The checkout ${directory} cannot be read`, found);
      }
      const top = found.stdout.trimEnd();
      return inspectCheckout(git, top, origin(top));
    },

    async fetch(directory, ref, token, signal) {
      const url = await origin(directory);
      if (url === undefined) {
        const commit = ref === undefined || ref.startsWith('-') ? undefined : await commitOf(directory, ref);
        if (commit !== undefined) return { commit, label: ref === commit ? commit.slice(0, 12) : (ref ?? '') };
        throw new ProcedureError('E_SOURCE', `${directory} has no remote "origin" to fetch ${ref ?? 'from'}`, {
          next: 'Add one (git remote add origin URL), or name a commit that is there already.',
        });
      }
      lastToken = loginConfiguration(url, token);
      return fetchRef({ git, directory, config: lastToken, signal }, ref);
    },

    async log(directory, from, to, limit) {
      const args = [
        'log',
        '--no-decorate',
        '--no-show-signature',
        '--format=%h %s',
        `-n${limit}`,
        `${from}..${to}`,
        '--',
      ];
      const text = await git.text({ directory, args }, 'Listing the new commits failed');
      return text === '' ? [] : text.split('\n');
    },

    files: (directory, commit) => readTree(git, directory, commit),
    addWorktree: (directory, place, commit) => addWorktree(git, directory, place, commit, lastToken),
    removeWorktree: (directory, place) => removeWorktree(git, directory, place),
    removeLeftWorktrees: (folder) => removeLeftWorktrees(git, folder),

    async checkout(directory, commit) {
      // Already there: a person's branch stays checked out.
      if ((await commitOf(directory, 'HEAD')) === (await commitOf(directory, commit))) return;
      await moveCheckout(git, directory, commit);
    },

    async resolve(directory, ref) {
      if (ref.startsWith('-')) return undefined;
      // Tags first, then what origin has: the checkout is detached, so a local branch of that name stays behind. HEAD
      // is what is checked out, as for a fetch, and not the branch that origin/HEAD stands for.
      const places = /^HEAD(?:[~^]|$)/.test(ref) ? [] : [`refs/tags/${ref}`, `refs/remotes/origin/${ref}`];
      for (const name of [...places, ref]) {
        const commit = await commitOf(directory, name);
        if (commit !== undefined) return commit;
      }
      return undefined;
    },

    async untracked(directory) {
      const args = ['ls-files', '--others', '--directory', '-z'];
      const text = await git.text({ directory: await topLevel(directory), args }, 'Listing untracked files failed');
      return text.split('\0').filter((entry) => entry !== '');
    },

    async treeId(directory, commit, wanted) {
      const inside = path.posix.normalize(wanted).replace(/\/$/, '');
      if (inside.startsWith('..') || inside.startsWith('/')) return undefined;
      const object = inside === '.' ? `${commit}^{tree}` : `${commit}:${inside}`;
      return git.maybe({ directory, args: ['rev-parse', '--verify', '--quiet', object] });
    },
  };
}

async function inspectCheckout(git: GitCli, topLevel: string, asked: Promise<string | undefined>): Promise<Checkout> {
  const directory = topLevel;
  // Submodules are left out: the checkout's are not moved with it, and would count as modified ever after.
  const status = ['status', '--porcelain=v1', '-z', '--untracked-files=no', '--ignore-submodules=all'];
  const [commit, branch, modified, origin] = await Promise.all([
    git.maybe({ directory, args: ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'] }),
    git.maybe({ directory, args: ['symbolic-ref', '--quiet', '--short', 'HEAD'] }),
    git.text({ directory, args: status }, `The state of ${topLevel} cannot be read`),
    asked,
  ]);
  return {
    topLevel,
    commit,
    branch,
    modified: parseStatus(modified),
    origin: origin === undefined ? undefined : withoutCredentials(origin),
  };
}

/**
 * Reads `git status --porcelain=v1 -z`: `XY path`, and for a rename the old path as an entry of its own behind it
 * (git-status(1), "Porcelain Format Version 1").
 */
export function parseStatus(text: string): readonly string[] {
  const entries = text.split('\0');
  const paths: string[] = [];
  for (let index = 0; index < entries.length; index += 1) {
    const entry = entries[index] ?? '';
    if (entry.length < 4) continue;
    paths.push(entry.slice(3));
    if (/[RC]/.test(entry.slice(0, 2))) index += 1;
  }
  return paths.sort();
}

/** Looks for `.git` upwards, so that a project outside git needs no git on the host. */
async function isInside(directory: string): Promise<boolean> {
  for (let place = path.resolve(directory); ; place = path.dirname(place)) {
    const found = await access(path.join(place, '.git')).then(
      () => true,
      () => false,
    );
    if (found) return true;
    if (place === path.dirname(place)) return false;
  }
}
