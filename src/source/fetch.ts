import { ProcedureError } from '../model/errors.js';
import type { FetchedRef } from '../model/ports/source.js';
import { NETWORK_MS, gitFailed, type GitCli } from './git-cli.js';
import type { ConfigPair } from './git-config.js';
import {
  choose,
  isCommitId,
  isShortCommitId,
  labelOf,
  localName,
  noSuchRef,
  parseRemoteRefs,
  readings,
  readRef,
  type RemoteRefs,
} from './refs.js';

interface Fetching {
  readonly git: GitCli;
  readonly directory: string;
  readonly config: readonly ConfigPair[];
  readonly signal: AbortSignal;
}

/** Brings a ref from origin. A commit that is there already needs no network. */
export async function fetchRef(fetching: Fetching, written: string | undefined): Promise<FetchedRef> {
  if (written === undefined) return fetchDefault(fetching);
  const { name, suffix } = readRef(written);
  const found = await fetchBase(fetching, name);
  if (suffix === '') return found;
  const commit = await commitOf(fetching, `${found.commit}${suffix}`);
  if (commit !== undefined) return { commit, label: `${found.label}${suffix}` };
  throw new ProcedureError('E_SOURCE', `${found.label} has no ${suffix}`, {
    next: 'The history may be shorter than that, or the clone shallow: git fetch --unshallow.',
  });
}

async function fetchBase(fetching: Fetching, name: string): Promise<FetchedRef> {
  if (name === 'HEAD') return local(fetching, name, 'HEAD');
  if (isCommitId(name)) return fetchCommit(fetching, name);
  const remote = await remoteRefs(fetching, readings(name));
  const full = choose(name, remote);
  if (full !== undefined) return fetchNamed(fetching, full);
  if (isShortCommitId(name)) {
    await fetchEverything(fetching);
    const commit = await commitOf(fetching, name);
    if (commit !== undefined) return { commit, label: commit.slice(0, 12) };
  }
  throw noSuchRef(name, await remoteRefs(fetching, ['refs/heads/*', 'refs/tags/*']));
}

/**
 * `git ls-remote --symref` asks the server: `origin/HEAD` is what the clone saw, and a default branch gets renamed. It
 * says which commit that is as well: where the checkout has it as that branch, there is nothing to fetch.
 */
async function fetchDefault(fetching: Fetching): Promise<FetchedRef> {
  const text = await network(fetching, ['ls-remote', '--symref', 'origin', 'HEAD'], 'Asking origin for its branch');
  const branch = /^ref: (\S+)\tHEAD$/m.exec(text)?.[1];
  const commit = /^([0-9a-f]{40,64})\tHEAD$/m.exec(text)?.[1];
  if (branch !== undefined) {
    const there = commit !== undefined && (await commitOf(fetching, localName(branch))) === commit;
    return there ? { commit, label: labelOf(branch) } : fetchNamed(fetching, branch);
  }
  throw new ProcedureError('E_SOURCE', 'The origin names no default branch', {
    next: 'Give the input ref, or push a first commit to the origin.',
  });
}

/**
 * Fetches one ref by its full name and overwrites where the checkout keeps it: a tag that was moved in the origin has to
 * be seen, and a plain fetch refuses it ("would clobber existing tag"). No branch of a person is touched.
 */
async function fetchNamed(fetching: Fetching, full: string): Promise<FetchedRef> {
  const kept = localName(full);
  await network(fetching, fetchArgs(`+${full}:${kept}`), `Fetching ${labelOf(full)}`);
  return local(fetching, kept, labelOf(full));
}

/** GitHub gives any commit that it has by its id; other servers only what a branch or tag reaches. */
async function fetchCommit(fetching: Fetching, id: string): Promise<FetchedRef> {
  const label = id.slice(0, 12);
  if ((await commitOf(fetching, id)) !== undefined) return { commit: id, label };
  const direct = await attempt(fetching, fetchArgs(id));
  if (direct.exitCode !== 0) await fetchEverything(fetching);
  if ((await commitOf(fetching, id)) !== undefined) return { commit: id, label };
  throw noSuchRef(id, await remoteRefs(fetching, ['refs/heads/*', 'refs/tags/*']));
}

async function fetchEverything(fetching: Fetching): Promise<void> {
  const refs = ['+refs/heads/*:refs/remotes/origin/*', '+refs/tags/*:refs/tags/*'];
  await network(fetching, fetchArgs(...refs), 'Fetching branches and tags');
}

function fetchArgs(...refs: readonly string[]): readonly string[] {
  return ['fetch', '--no-recurse-submodules', '--no-prune', '--no-write-fetch-head', '--quiet', 'origin', ...refs];
}

async function remoteRefs(fetching: Fetching, patterns: readonly string[]): Promise<RemoteRefs> {
  // A pattern without its `^{}` leaves out the line with the commit of an annotated tag.
  const asked = patterns.flatMap((pattern) =>
    pattern.startsWith('refs/tags/') ? [pattern, `${pattern}^{}`] : [pattern],
  );
  return parseRemoteRefs(await network(fetching, ['ls-remote', 'origin', ...asked], 'Asking origin for its refs'));
}

async function local(fetching: Fetching, name: string, label: string): Promise<FetchedRef> {
  const commit = await commitOf(fetching, name);
  if (commit !== undefined) return { commit, label };
  throw new ProcedureError('E_SOURCE', `${label} is not a commit`, {
    next: 'Name a branch, a tag of a commit, or a commit.',
  });
}

async function commitOf({ git, directory, signal }: Fetching, name: string): Promise<string | undefined> {
  return git.maybe({ directory, args: ['rev-parse', '--verify', '--quiet', `${name}^{commit}`], signal });
}

async function attempt({ git, directory, config, signal }: Fetching, args: readonly string[]) {
  return git.run({ directory, args, config, signal, timeoutMs: NETWORK_MS });
}

async function network(fetching: Fetching, args: readonly string[], what: string): Promise<string> {
  const result = await attempt(fetching, args);
  if (result.exitCode === 0) return result.stdout;
  throw gitFailed(`${what} failed`, result);
}
