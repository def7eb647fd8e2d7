import { ProcedureError } from '../model/errors.js';
import type { FetchedRef } from '../model/ports/source.js';
import type { GitCli, GitOptions } from './git-cli.js';

const FETCH_DEADLINE_MS = 10 * 60_000;

export interface FetchRequest {
  readonly directory: string;
  /** Undefined: origin's default branch. */
  readonly ref: string | undefined;
  readonly token: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * Fetches one ref from origin and says which commit it is. A full commit id that is here already needs no network.
 * @throws ProcedureError E_SOURCE, with the refs there are when the wanted one is not among them
 */
export async function fetchRef(git: GitCli, { directory, ref, token, signal }: FetchRequest): Promise<FetchedRef> {
  if (ref?.startsWith('-') === true) throw badRef(ref, 'a ref does not begin with a hyphen');
  if (ref !== undefined && isCommit(ref)) {
    const here = await git.attempt(directory, ['cat-file', '-e', `${ref}^{commit}`]);
    if (here.exitCode === 0) return { commit: ref, label: ref.slice(0, 12) };
  }
  const options: GitOptions = {
    timeoutMs: FETCH_DEADLINE_MS,
    signal,
    configuration: await credentials(git, directory, token),
  };
  if (ref !== undefined && isCommit(ref)) {
    await fetch(git, directory, [ref], options);
    return { commit: ref, label: ref.slice(0, 12) };
  }
  const wanted = await findRemoteRef(git, directory, ref, options);
  if (wanted === undefined) {
    // A short commit id, or a ref that only this checkout has.
    const local = await git.attempt(directory, ['rev-parse', '--verify', '--quiet', `${ref ?? 'HEAD'}^{commit}`]);
    if (local.exitCode === 0 && ref !== undefined) return { commit: local.stdout.trim(), label: ref };
    throw badRef(ref ?? 'the default branch', await nearby(git, directory, options));
  }
  await fetch(git, directory, [`+${wanted.name}:${wanted.local}`], options);
  const commit = await git.read(directory, ['rev-parse', '--verify', `${wanted.local}^{commit}`]);
  return { commit: commit.trim(), label: wanted.label };
}

async function fetch(git: GitCli, directory: string, refspecs: readonly string[], options: GitOptions): Promise<void> {
  await git.read(directory, ['fetch', '--no-tags', '--quiet', 'origin', ...refspecs], options);
}

interface RemoteRef {
  /** `refs/heads/main` */
  readonly name: string;
  /** Where it is kept here. */
  readonly local: string;
  readonly label: string;
}

/** Tags before branches, as a release's name means the release. */
async function findRemoteRef(
  git: GitCli,
  directory: string,
  ref: string | undefined,
  options: GitOptions,
): Promise<RemoteRef | undefined> {
  if (ref === undefined) return defaultBranch(git, directory, options);
  const bare = ref.replace(/^origin\//, '');
  const names = ref.startsWith('refs/') ? [ref] : [`refs/tags/${bare}`, `refs/heads/${bare}`];
  const listed = await git.read(directory, ['ls-remote', 'origin', ...names], options);
  const present = new Set(listed.split('\n').map((line) => line.split('\t')[1] ?? ''));
  const name = names.find((candidate) => present.has(candidate));
  return name === undefined ? undefined : remoteRef(name);
}

async function defaultBranch(git: GitCli, directory: string, options: GitOptions): Promise<RemoteRef | undefined> {
  const listed = await git.read(directory, ['ls-remote', '--symref', 'origin', 'HEAD'], options);
  const name = /^ref: (refs\/heads\/\S+)\s+HEAD$/m.exec(listed)?.[1];
  return name === undefined ? undefined : remoteRef(name);
}

function remoteRef(name: string): RemoteRef {
  if (name.startsWith('refs/heads/')) {
    const branch = name.slice('refs/heads/'.length);
    return { name, local: `refs/remotes/origin/${branch}`, label: `origin/${branch}` };
  }
  return { name, local: name, label: name.replace(/^refs\/tags\//, '') };
}

/**
 * The token as an HTTP header, for this remote alone, through the environment: it is in no process list, no
 * configuration file and no error message. https://git-scm.com/docs/git-config#Documentation/git-config.txt-GITCONFIGCOUNT
 */
async function credentials(
  git: GitCli,
  directory: string,
  token: string | undefined,
): Promise<Readonly<Record<string, string>>> {
  if (token === undefined) return {};
  const origin = await git.attempt(directory, ['remote', 'get-url', 'origin']);
  const server = /^(https?:\/\/)(?:[^@/]*@)?([^/]+\/)/.exec(origin.stdout.trim());
  if (server === null) return {};
  const basic = Buffer.from(`x-access-token:${token}`).toString('base64');
  return { [`http.${server[1] ?? ''}${server[2] ?? ''}.extraheader`]: `AUTHORIZATION: basic ${basic}` };
}

async function nearby(git: GitCli, directory: string, options: GitOptions): Promise<string> {
  const listed = await git.attempt(directory, ['ls-remote', '--heads', '--tags', '--refs', 'origin'], options);
  const names = listed.stdout
    .split('\n')
    .flatMap((line) => /refs\/(?:heads|tags)\/(\S+)$/.exec(line)?.[1] ?? [])
    .slice(-10);
  return names.length === 0 ? 'origin has no branches or tags' : `origin has, among others: ${names.join(', ')}`;
}

function badRef(ref: string, why: string): ProcedureError {
  return new ProcedureError('E_SOURCE', `There is no ref "${ref}" to deploy`, {
    next: `${why}. Correct the input ref; nothing was changed.`,
  });
}

function isCommit(ref: string): boolean {
  return /^[0-9a-f]{40}$|^[0-9a-f]{64}$/.test(ref);
}
