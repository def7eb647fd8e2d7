import { newestFirst, type BackupManifest } from '../model/backup.js';
import { ProcedureError } from '../model/errors.js';
import type { BrokenBackup } from '../model/ports/backups.js';
import type { Viewing } from './session.js';

/** @returns the backups of a service that are there and not whole, newest first */
export function brokenBackups(
  { backups, request, project }: Viewing,
  service: string,
): Promise<readonly BrokenBackup[]> {
  return backups.broken(request.backupDir, project, service);
}

/**
 * Whoever asks for the newest backup means the newest that was taken: that one which is broken is not passed over in silence.
 * @param found the newest that is whole
 * @param isMeant whether a broken one would have been the one that is asked for
 * Of one that may be newer as well as older (taken in the same second, its manifest is what is broken) newer is assumed.
 * @throws ProcedureError E_BACKUP
 */
export async function refuseBrokenNewer(
  viewing: Viewing,
  service: string,
  found: Pick<BackupManifest, 'id' | 'at'> | undefined,
  isMeant: (broken: BrokenBackup) => boolean = isNoSafety,
): Promise<void> {
  const newer = (await brokenBackups(viewing, service)).find(
    (one) => (found === undefined || newestFirst(one, { id: found.id, manifest: found }) <= 0) && isMeant(one),
  );
  if (newer === undefined) return;
  const next =
    found === undefined
      ? `There is no other of ${service}: bring a copy of this one there that is whole, or take a new one with procedure backup.`
      : `To take the one before it all the same: procedure restore with backup: ${found.id}. Or take a new one with procedure backup.`;
  throw new ProcedureError('E_BACKUP', `The newest backup of ${service} cannot be used. ${newer.error.message}`, {
    next: `${next} Nothing was changed.`,
    cause: newer.error,
  });
}

/** One that does not say why it was taken counts as asked for. */
function isNoSafety({ manifest }: BrokenBackup): boolean {
  return manifest?.reason !== 'safety';
}
