import { ProcedureError } from '../model/errors.js';

/** A ref as a person writes it, taken apart: `origin/main~2` is `main` and `~2`. */
export interface WrittenRef {
  readonly name: string;
  /** `~2`, `^{}`, …: from the commit that the name has. */
  readonly suffix: string;
}

/** What a server says it has: full ref name to commit, annotated tags already followed to their commit. */
export type RemoteRefs = ReadonlyMap<string, string>;

/**
 * @throws ProcedureError E_SOURCE for what can be no ref, above all for what git would take for an option or a refspec
 */
export function readRef(written: string): WrittenRef {
  const [, name = '', suffix = ''] = /^([^~^]*)((?:[~^].*)?)$/.exec(written) ?? [];
  const sound = name !== '' && !/^[-+/]|[\s:?*[\\]|\.\.|@\{|\/$|\.lock$/.test(name) && !/\p{Cc}/u.test(written);
  if (sound && /^(?:[~^]\d*|\^\{(?:commit)?\})*$/.test(suffix)) return { name, suffix };
  throw new ProcedureError('E_SOURCE', `"${written}" is not a git ref`, {
    next: 'Write a branch (main), a tag (v1.2.3), a full ref (refs/heads/main) or a commit id.',
  });
}

/** @returns whether the name can only be a full commit id (SHA-1 or SHA-256) */
export function isCommitId(name: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(name);
}

/** @returns whether it may be the beginning of one */
export function isShortCommitId(name: string): boolean {
  return /^[0-9a-f]{7,63}$/.test(name);
}

/**
 * @returns the full names on the server that the name may mean, the most literal reading first
 */
export function readings(name: string): readonly string[] {
  if (name.startsWith('refs/')) return [name];
  const inRemote = /^(?:remotes\/)?origin\/(.+)$/.exec(name)?.[1];
  return [
    `refs/heads/${name}`,
    `refs/tags/${name}`,
    ...(inRemote === undefined ? [] : [`refs/heads/${inRemote}`]),
    ...(/^(?:heads|tags)\//.test(name) ? [`refs/${name}`] : []),
  ];
}

/**
 * @returns the one full name that is meant, undefined when the server has none of them
 * @throws ProcedureError E_SOURCE when a branch and a tag have the same name
 */
export function choose(name: string, remote: RemoteRefs): string | undefined {
  const there = readings(name).filter((full) => remote.has(full));
  const [first, second] = there;
  if (first === `refs/heads/${name}` && second === `refs/tags/${name}`) {
    throw new ProcedureError('E_SOURCE', `"${name}" is a branch and a tag of the origin`, {
      next: `Write ${first} or ${second}.`,
    });
  }
  return first;
}

/** @returns where the ref of the server is kept in the checkout */
export function localName(full: string): string {
  if (full.startsWith('refs/heads/')) return full.replace('refs/heads/', 'refs/remotes/origin/');
  if (full.startsWith('refs/tags/')) return full;
  return full.replace('refs/', 'refs/remotes/origin/');
}

/** @returns how a person calls it: `origin/main`, `v1.2.3`, `pull/7/merge` */
export function labelOf(full: string): string {
  return full.replace('refs/heads/', 'origin/').replace(/^refs\/(?:tags\/)?/, '');
}

/** Reads `git ls-remote`. The line of a tag's commit (`^{}`) comes after the tag's own and replaces it. */
export function parseRemoteRefs(text: string): RemoteRefs {
  const refs = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [id, name] = line.split('\t');
    if (id !== undefined && name !== undefined && !id.startsWith('ref:')) refs.set(name.replace(/\^\{\}$/, ''), id);
  }
  return refs;
}

/** @returns an E_SOURCE that names what the server has and is written much the same */
export function noSuchRef(name: string, remote: RemoteRefs): ProcedureError {
  const names = [...remote.keys()].filter((full) => /^refs\/(heads|tags)\//.test(full)).map(bare);
  const near = nearest(bare(name), names);
  const next =
    near.length > 0
      ? `Did you mean ${near.join(', ')}?`
      : names.length === 0
        ? 'The origin has no branches and no tags.'
        : `The origin has, among others: ${names.slice(0, 5).join(', ')}.`;
  return new ProcedureError('E_SOURCE', `The origin has no branch, tag or commit "${name}"`, {
    next: `${next} Nothing was changed.`,
  });
}

function bare(full: string): string {
  return full.replace(/^(?:refs\/(?:heads|tags)\/|origin\/)/, '');
}

function nearest(wanted: string, names: readonly string[]): readonly string[] {
  const bound = Math.max(2, Math.floor(wanted.length / 3));
  return [...new Set(names)]
    .map((name) => ({ name, distance: name.includes(wanted) ? 1 : distanceOf(wanted, name) }))
    .filter(({ distance }) => distance <= bound)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 5)
    .map(({ name }) => name);
}

/** Single-character edits between two texts (Levenshtein). */
function distanceOf(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, left] of Array.from(a).entries()) {
    const next = [i + 1];
    for (const [j, right] of Array.from(b).entries()) {
      const replace = (row[j] ?? 0) + (left === right ? 0 : 1);
      next.push(Math.min(replace, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
