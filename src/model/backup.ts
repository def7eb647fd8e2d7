import type { Consistency } from './backup-policy.js';
import type { ReleaseId } from './release.js';

/** Unique, as the id of a release: `20261124T031502Z-3f9a1c`. Two of the same second are in no order by it. */
export type BackupId = string;

/** @returns whether a name has the form of the id of a backup */
export function isBackupId(name: string): name is BackupId {
  return /^\d{8}T\d{6}Z-[0-9a-f]{6}$/.test(name);
}

/** Why a backup was taken. `safety`: what was there when older data was put in its place. */
export type BackupReason = 'asked' | 'before' | 'safety';

/** One folder of a service's data that outlives its container. */
export interface DataPlace {
  /** Name of its archive: unique within a service. */
  readonly name: string;
  readonly kind: 'volume' | 'bind';
  /** Name of the volume, or the folder of the host. */
  readonly source: string;
  /** Where the container has it. */
  readonly target: string;
}

/** A place as a backup holds it. */
export interface BackupEntry extends DataPlace {
  /** File beside the manifest. */
  readonly archive: string;
  readonly sizeBytes: number;
  readonly tarBytes: number;
  /** Of the file, and of the tar in it: both in hexadecimal digits. */
  readonly sha256: string;
  readonly tarSha256: string;
  /** Files, folders and links. */
  readonly entries: number;
}

/** A backup by what is certain of one that is broken too: its manifest may be what is broken. */
export interface DatedBackup {
  readonly id: BackupId;
  readonly manifest: Pick<BackupManifest, 'at'> | undefined;
}

/**
 * For `sort`, newest first: by what the manifests say to the millisecond, else by the second of the ids.
 * @returns negative when `a` was taken after `b`, positive when before it, 0 when nobody can tell
 */
export function newestFirst(a: DatedBackup, b: DatedBackup): number {
  if (a.manifest !== undefined && b.manifest !== undefined) {
    return Date.parse(b.manifest.at) - Date.parse(a.manifest.at);
  }
  const [of, other] = [a, b].map(({ id }) => id.slice(0, '20261124T031502Z'.length)) as [string, string];
  return of === other ? 0 : of < other ? 1 : -1;
}

/** What stands beside the archives of a backup, as `manifest.json`. */
export interface BackupManifest {
  readonly schema: typeof MANIFEST_SCHEMA;
  readonly id: BackupId;
  readonly project: string;
  readonly service: string;
  /** What ran, and wrote the data. */
  readonly release: ReleaseId | undefined;
  readonly reason: BackupReason;
  readonly consistency: Consistency;
  readonly procedure: string;
  readonly run: string;
  readonly by: string;
  readonly host: string;
  readonly at: string;
  /** How long the data was kept from changing; milliseconds. */
  readonly frozenMs: number;
  readonly entries: readonly BackupEntry[];
}

export const MANIFEST_SCHEMA = 'rolling-restart/backup/v1';

/** A line of the ledger: a backup that was taken, or deleted as too old. */
export interface BackupRecord {
  readonly at: string;
  readonly kind: 'kept' | 'deleted';
  readonly service: string;
  readonly backup: BackupId;
  readonly release: ReleaseId | undefined;
  readonly reason: BackupReason;
  readonly directory: string;
  readonly host: string;
  readonly sizeBytes: number;
  readonly run: string;
}

/** @returns bytes on disk */
export function backupSize(manifest: Pick<BackupManifest, 'entries'>): number {
  return manifest.entries.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

/**
 * Backups that are more than are kept, or older.
 * @param backups good ones, newest first
 * @param spared never deleted: what is being restored
 * @returns those to delete; never the newest
 */
export function backupsToDelete<T extends Pick<BackupManifest, 'id' | 'at'>>(
  backups: readonly T[],
  {
    keep,
    maxAgeMs,
    nowMs,
    spared = [],
  }: {
    readonly keep: number;
    readonly maxAgeMs: number | undefined;
    readonly nowMs: number;
    readonly spared?: readonly BackupId[];
  },
): readonly T[] {
  return backups.filter(({ id, at }, index) => {
    if (index === 0 || spared.includes(id)) return false;
    return index >= keep || (maxAgeMs !== undefined && nowMs - Date.parse(at) > maxAgeMs);
  });
}

/**
 * What a new backup may take on disk: as much as the data, unless an earlier one tells how well it is compressed.
 * @param dataBytes undefined: nobody knows; then what the last one took
 */
export function expectedSize(dataBytes: number | undefined, last: BackupManifest | undefined): number | undefined {
  if (last === undefined) return dataBytes;
  const size = backupSize(last);
  const tarBytes = last.entries.reduce((sum, entry) => sum + entry.tarBytes, 0);
  if (dataBytes === undefined || tarBytes === 0) return Math.ceil(size * GROWTH);
  return Math.ceil(Math.min(dataBytes, dataBytes * (size / tarBytes) * GROWTH));
}

/** What is compressed may be compressed less well the next time. */
const GROWTH = 1.25;
