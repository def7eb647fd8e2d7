import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, mkdir, open, readdir, readFile, rename, rm, rmdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { isBackupId, newestFirst, type BackupEntry, type BackupManifest } from '../model/backup.js';
import { ProcedureError } from '../model/errors.js';
import type { BackupStore, BackupWriter } from '../model/ports/backups.js';
import { readArchive, writeArchive } from './archive.js';
import { notWhole, writeFailure } from './failures.js';
import { manifestSchema } from './manifest.js';

const MANIFEST = 'manifest.json';
/** In the form of `sha256sum`, so that a person can check a backup without this program. */
const SUMS = 'SHA256SUMS';
/** Nothing with this ending is a backup. */
const PARTIAL = '.partial';

/** @returns backups as folders of files on this host */
export function createBackupStore(): BackupStore {
  const serviceFolder = (directory: string, project: string, service: string): string =>
    path.join(directory, segment(project), segment(service));
  /** Read whole by this process already, by what the files looked like then. */
  const checked = new Map<string, string>();
  return {
    folderOf: (directory, project, service, id) => path.join(serviceFolder(directory, project, service), segment(id)),

    begin: (folder) =>
      begin(folder, async (manifest) => {
        checked.set(folder, await stateOf(folder, manifest));
      }),

    async list(directory, project, service) {
      const found = await lookAtAll(serviceFolder(directory, project, service));
      return found
        .flatMap(({ error, manifest }) => (error === undefined && manifest !== undefined ? [manifest] : []))
        .sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
    },

    async broken(directory, project, service) {
      const found = await lookAtAll(serviceFolder(directory, project, service));
      return found
        .flatMap(({ id, manifest, error }) => (error === undefined || !isBackupId(id) ? [] : [{ id, manifest, error }]))
        .sort(newestFirst);
    },

    async check(folder, signal) {
      const manifest = await readManifest(folder);
      const state = await stateOf(folder, manifest);
      if (checked.get(folder) === state) return manifest;
      for (const entry of manifest.entries) await checkArchive(folder, entry, signal);
      checked.set(folder, state);
      return manifest;
    },

    open: (folder, { archive }) => createReadStream(path.join(folder, archive)),

    remove: (folder) => rm(folder, { recursive: true, force: true }),
    discard: discardPartial,

    async removePartial(directory, project, service) {
      const folder = serviceFolder(directory, project, service);
      const left = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(PARTIAL));
      for (const name of left) await rm(path.join(folder, name), { recursive: true, force: true });
      return left.length;
    },
  };
}

/** The folders of service and project go with it when nothing else is in them. */
async function discardPartial(folder: string): Promise<void> {
  await rm(`${folder}${PARTIAL}`, { recursive: true, force: true });
  const service = path.dirname(folder);
  for (const above of [service, path.dirname(service)]) await rmdir(above).catch(() => undefined);
}

async function begin(folder: string, onKept: (manifest: BackupManifest) => Promise<void>): Promise<BackupWriter> {
  const partial = `${folder}${PARTIAL}`;
  const entries: Omit<BackupEntry, 'entries'>[] = [];
  const discard = (): Promise<void> => discardPartial(folder);
  const guarded = async <T>(body: () => Promise<T>): Promise<T> => {
    try {
      return await body();
    } catch (error) {
      await discard();
      throw writeFailure(folder, error);
    }
  };
  await guarded(async () => {
    await mkdir(partial, { recursive: true, mode: 0o700 });
    await chmod(path.dirname(folder), 0o700);
  });
  return {
    add: (place, tar, signal) =>
      guarded(async () => {
        const archive = `${place.name}.tar.gz`;
        entries.push({ ...place, archive, ...(await writeArchive(path.join(partial, archive), tar, signal)) });
      }),

    keep: (about, signal) =>
      guarded(async () => {
        const counted: BackupEntry[] = [];
        for (const entry of entries) {
          counted.push({ ...entry, entries: await checkArchive(partial, entry, signal) });
        }
        const manifest: BackupManifest = { ...about, entries: counted };
        const text = `${JSON.stringify(manifest, null, 2)}\n`;
        const sums = [...counted.map(({ sha256, archive }) => [sha256, archive] as const), [sha256Of(text), MANIFEST]];
        await writeDurably(path.join(partial, MANIFEST), text);
        await writeDurably(path.join(partial, SUMS), sums.map(([sum, name]) => `${sum}  ${name}\n`).join(''));
        await syncFolder(partial);
        await rename(partial, folder);
        await syncFolder(path.dirname(folder));
        await onKept(manifest);
        return manifest;
      }),

    discard,
  };
}

/** @returns how many entries there are @throws ProcedureError E_BACKUP */
async function checkArchive(folder: string, entry: Omit<BackupEntry, 'entries'>, signal: AbortSignal): Promise<number> {
  const file = path.join(folder, entry.archive);
  let found: Awaited<ReturnType<typeof readArchive>>;
  try {
    found = await readArchive(file, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw notWhole(folder, `${entry.archive} cannot be read to its end (${reasonOf(error)})`, error);
  }
  if (found.sha256 !== entry.sha256)
    throw notWhole(folder, `${entry.archive} has another checksum than when it was taken`);
  if (found.tarSha256 !== entry.tarSha256 || found.tarBytes !== entry.tarBytes) {
    throw notWhole(folder, `${entry.archive} holds something else than when it was taken`);
  }
  return found.entries;
}

/** What is another after any of the files was written to. */
async function stateOf(folder: string, { entries }: BackupManifest): Promise<string> {
  const facts = await Promise.all(
    entries.map(async ({ archive }) => {
      const { ino, size, mtimeMs, ctimeMs } = await stat(path.join(folder, archive)).catch(() => MISSING);
      return [archive, ino, size, mtimeMs, ctimeMs].join(' ');
    }),
  );
  return facts.join('\n');
}

const MISSING = { ino: 0, size: 0, mtimeMs: 0, ctimeMs: 0 } as const;

interface LookedAt {
  readonly id: string;
  readonly manifest: BackupManifest | undefined;
  readonly error: ProcedureError | undefined;
}

async function lookAtAll(serviceFolder: string): Promise<readonly LookedAt[]> {
  const names = (await readdir(serviceFolder).catch(() => [])).filter((name) => !name.endsWith(PARTIAL));
  return Promise.all(names.map(async (name) => ({ id: name, ...(await lookAt(path.join(serviceFolder, name))) })));
}

/** The manifest and the sizes of its archives: enough to list it. */
async function lookAt(folder: string): Promise<Omit<LookedAt, 'id'>> {
  let manifest: BackupManifest | undefined;
  try {
    manifest = await readManifest(folder);
    for (const { archive, sizeBytes } of manifest.entries) {
      const size = await stat(path.join(folder, archive)).then(
        (facts) => facts.size,
        () => undefined,
      );
      if (size === sizeBytes) continue;
      const found = size === undefined ? `${archive} is missing` : `${archive} has ${size} bytes`;
      throw notWhole(folder, `${found}; it had ${sizeBytes} bytes when it was taken`);
    }
    return { manifest, error: undefined };
  } catch (error) {
    return { manifest, error: error instanceof ProcedureError ? error : notWhole(folder, reasonOf(error), error) };
  }
}

async function readManifest(folder: string): Promise<BackupManifest> {
  let text: string;
  let sums: string;
  try {
    // One after the other: where there is nothing, it is the manifest that is missing, and not whichever was read first.
    text = await readFile(path.join(folder, MANIFEST), 'utf8');
    sums = await readFile(path.join(folder, SUMS), 'utf8');
  } catch (error) {
    throw notWhole(folder, reasonOf(error), error);
  }
  if (!sums.split('\n').includes(`${sha256Of(text)}  ${MANIFEST}`)) {
    throw notWhole(folder, 'its manifest has another checksum than when it was taken');
  }
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch (error) {
    throw notWhole(folder, 'its manifest cannot be read', error);
  }
}

async function writeDurably(file: string, text: string): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Without it a name may be lost when the power is, although the file is not. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What a person types ends here too (`backup: ../x`). @throws ProcedureError E_BACKUP */
function segment(text: string): string {
  if (/^[A-Za-z0-9._-]{1,200}$/.test(text) && text !== '.' && text !== '..') return text;
  throw new ProcedureError('E_BACKUP', `"${text}" is not the id of a backup`, {
    next: 'Give latest, or an id as procedure check lists them, such as 20261124T031502Z-3f9a1c. Nothing was changed.',
  });
}
