import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Source } from '../model/ports/source.js';

/** Where the contents of mounted files are read from when the wanted commit is not checked out yet. */
export interface FileRoots {
  /** Top level of the live checkout. */
  readonly live: string;
  /** Where the wanted commit lies: a worktree, or the live checkout itself. */
  readonly wanted: string;
  /** Commit of `wanted`; undefined outside git. */
  readonly commit: string | undefined;
}

/**
 * Content hashes of what a service mounts from the host. A tracked file is read from the wanted commit and an untracked
 * one where it lies. A directory of the checkout counts by its git tree, so that source mounted live is seen to change;
 * other directories are data and do not count.
 * @returns hash by path; paths that do not exist are left out
 */
export async function hashFiles(
  paths: readonly string[],
  roots: FileRoots,
  source: Source,
): Promise<Readonly<Record<string, string>>> {
  const hashes: Record<string, string> = {};
  for (const file of paths) {
    const hash = await hashOne(file, roots, source);
    if (hash !== undefined) hashes[file] = hash;
  }
  return hashes;
}

async function hashOne(file: string, roots: FileRoots, source: Source): Promise<string | undefined> {
  const relative = path.relative(roots.live, file);
  const inside = !relative.startsWith('..') && !path.isAbsolute(relative);
  if (inside && roots.commit !== undefined) {
    const tree = await source.treeId(roots.live, roots.commit, relative === '' ? '.' : relative);
    if (tree !== undefined) return `git:${tree}`;
  }
  const facts = await stat(file).catch(() => undefined);
  if (facts?.isFile() !== true) return undefined;
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return `sha256:${hash.digest('hex')}`;
}

/** @returns paths of the service's mounts that lie in the checkout: a changed checkout changes them at once */
export function mountedLive(paths: readonly string[], topLevel: string): readonly string[] {
  return paths.filter((file) => {
    const relative = path.relative(topLevel, file);
    return !relative.startsWith('..') && !path.isAbsolute(relative);
  });
}
