import { readdir, readFile, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { judgePresence, lookAtProcess, readIdentity, type ProcessIdentity } from '../host/identity.js';

/** Beside the worktrees of a run: whose they are, and of which checkout. */
const OWNER_FILE = 'owner.json';
/** Where nothing can be known of the owner, as after a reboot: no run has a worktree for longer. */
const UNSEEN_MS = 24 * 3_600_000;

interface Owner {
  readonly process: ProcessIdentity;
  readonly directory: string;
}

/** A dry run has no journal: when it is killed, this file is all that tells of its worktree. */
export async function writeOwner(folder: string, directory: string): Promise<void> {
  const owner: Owner = { process: readIdentity(), directory };
  await writeFile(path.join(folder, OWNER_FILE), JSON.stringify(owner), { mode: 0o600 });
}

/** Removes the folder of a run once no worktree is in it, and the folder of all runs once no run is. */
export async function removeEmptyFolders(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => undefined);
  if (names?.some((name) => name !== OWNER_FILE) === true) return;
  await rm(path.join(folder, OWNER_FILE), { force: true });
  for (const empty of [folder, path.dirname(folder)]) {
    await rmdir(empty).catch((error: unknown) => {
      // Another run has something in it, or has removed it.
      if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(String(codeOf(error)))) throw error;
    });
  }
}

/** Worktrees whose run has ended. */
export interface LeftWorktrees {
  readonly folder: string;
  readonly places: readonly string[];
  /** The checkout that they are of; undefined when that is not known any more. */
  readonly directory: string | undefined;
}

/** @param folder of all runs */
export async function leftWorktrees(folder: string): Promise<readonly LeftWorktrees[]> {
  const left: LeftWorktrees[] = [];
  for (const run of await readdir(folder).catch(() => [])) {
    const own = path.join(folder, run);
    const owner = await readOwner(own);
    const presence = owner === undefined ? 'unseen' : judgePresence(owner.process, readIdentity(), lookAtProcess);
    if (presence === 'alive' || (presence === 'unseen' && !(await isOld(own)))) continue;
    const names = await readdir(own).catch(() => []);
    const places = names.filter((name) => name !== OWNER_FILE).map((name) => path.join(own, name));
    left.push({ folder: own, places, directory: owner?.directory });
  }
  return left;
}

async function readOwner(folder: string): Promise<Owner | undefined> {
  try {
    return JSON.parse(await readFile(path.join(folder, OWNER_FILE), 'utf8')) as Owner;
  } catch {
    return undefined; // a run that was killed before it wrote the file, or while it did
  }
}

async function isOld(folder: string): Promise<boolean> {
  const facts = await stat(folder).catch(() => undefined);
  return facts !== undefined && Date.now() - facts.mtimeMs > UNSEEN_MS;
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
