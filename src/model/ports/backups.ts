import type { Readable } from 'node:stream';
import type { ProcedureError } from '../errors.js';
import type { BackupEntry, BackupId, BackupManifest, DataPlace } from '../backup.js';

/**
 * Backups in a directory of the host, one folder each: `PROJECT/SERVICE/ID` with a manifest, an archive for each place and
 * their checksums. Implemented in `src/backups`. Throws ProcedureError E_BACKUP, E_DISK_FULL.
 */
export interface BackupStore {
  /** Where a backup is, or will be. */
  folderOf(directory: string, project: string, service: string, id: BackupId): string;
  /** Begins one under a name of its own that nothing counts as a backup. */
  begin(folder: string): Promise<BackupWriter>;
  /** Those that are whole as far as their manifests tell, newest first. */
  list(directory: string, project: string, service: string): Promise<readonly BackupManifest[]>;
  /** Those that are there and are not whole, as far as their manifests tell, newest first; none that was never finished. */
  broken(directory: string, project: string, service: string): Promise<readonly BrokenBackup[]>;
  /** Reads all of it back: manifest, checksums, every archive to its end. @throws ProcedureError E_BACKUP */
  check(folder: string, signal: AbortSignal): Promise<BackupManifest>;
  /** The archive of one place, as it lies there. */
  open(folder: string, entry: BackupEntry): Readable;
  /** Gone already is success. */
  remove(folder: string): Promise<void>;
  /** Takes away what a run that was killed wrote of this backup. */
  discard(folder: string): Promise<void>;
  /** Takes away what killed runs left half written. @returns how many there were */
  removePartial(directory: string, project: string, service: string): Promise<number>;
}

export interface BrokenBackup {
  readonly id: BackupId;
  /** What it says of itself; undefined when that is what is broken. */
  readonly manifest: BackupManifest | undefined;
  /** E_BACKUP, with what is wrong. */
  readonly error: ProcedureError;
}

export interface BackupWriter {
  /** Compresses an archive into the backup as it comes. */
  add(place: DataPlace, tar: Readable, signal: AbortSignal): Promise<void>;
  /** Writes the manifest, reads everything back, and only then gives it its name. @throws ProcedureError E_BACKUP */
  keep(about: Omit<BackupManifest, 'entries'>, signal: AbortSignal): Promise<BackupManifest>;
  /** Leaves nothing behind. */
  discard(): Promise<void>;
}
