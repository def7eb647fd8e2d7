import { backupSize, backupsToDelete, type BackupManifest } from '../model/backup.js';
import { failureOf } from '../model/errors.js';
import type { OperationOf } from '../operations/operation.js';
import { formatSize } from '../model/units.js';
import { brokenBackups } from './broken-backups.js';
import type { Session, Viewing } from './session.js';

/**
 * Deletes what is more or older than is kept, of services whose backup this run has just taken and read back: so a good one
 * is always there. What this run restores stays. A failure is a warning: it costs space and nothing else.
 */
export async function deleteOldBackups(session: Session): Promise<void> {
  const { request, backups, project } = session;
  const spared = session.begun.flatMap((operation) =>
    operation.kind === 'restore-data' ? [operation.backup, operation.safety?.backup ?? operation.backup] : [],
  );
  for (const service of new Set(session.saved.map((manifest) => manifest.service))) {
    try {
      const all = await backups.list(request.backupDir, project, service);
      const old = backupsToDelete(all, {
        keep: request.keepBackups,
        maxAgeMs: request.maxBackupAgeMs,
        nowMs: session.clock.now(),
        spared,
      });
      if (old.length === 0) continue;
      const folders = old.map(({ id }) => backups.folderOf(request.backupDir, project, service, id));
      await session.execute({ kind: 'delete-backups', service, folders }, session.signal);
    } catch (error) {
      session.progress.warning(`old backups of ${service} were not deleted: ${failureOf(error).message}`);
    }
  }
}

/** @returns nothing; each deletion is in the ledger */
export async function deleteBackups(
  session: Session,
  { service, folders }: OperationOf<'delete-backups'>,
): Promise<void> {
  const { request, backups, project, invocation } = session;
  const all = await backups.list(request.backupDir, project, service);
  for (const manifest of all) {
    const directory = backups.folderOf(request.backupDir, project, service, manifest.id);
    if (!folders.includes(directory)) continue;
    await backups.remove(directory);
    await session.ledger.addBackupRecord({
      at: new Date(session.clock.now()).toISOString(),
      kind: 'deleted',
      service,
      backup: manifest.id,
      release: manifest.release,
      reason: manifest.reason,
      directory,
      host: invocation.host,
      sizeBytes: backupSize(manifest),
      run: invocation.runId,
    });
  }
}

/** Puts the backups of a service into the report as a table. */
export async function showBackups(viewing: Viewing, service: string): Promise<readonly BackupManifest[]> {
  const { request, backups, project, recorder } = viewing;
  const all = await backups.list(request.backupDir, project, service);
  const broken = await brokenBackups(viewing, service);
  for (const { error } of broken) viewing.progress.warning(error.message);
  if (all.length + broken.length === 0) return all;
  recorder.findings.push({
    title: `Backups of ${service}, in ${request.backupDir}`,
    columns: ['Backup', 'Taken', 'Why', 'Release', 'Consistency', 'Holds', 'Size'],
    rows: [
      ...broken.map(({ id, manifest }) => [
        id,
        manifest?.at ?? '–',
        'not whole: cannot be restored',
        '–',
        '–',
        '–',
        '–',
      ]),
      ...all.map((one) => [
        one.id,
        one.at,
        one.reason,
        one.release ?? '–',
        one.consistency,
        one.entries.map(({ target }) => target).join(', '),
        formatSize(backupSize(one)),
      ]),
    ],
  });
  return all;
}
