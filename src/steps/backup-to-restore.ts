import type { BackupManifest, DataPlace } from '../model/backup.js';
import { ProcedureError } from '../model/errors.js';
import type { ObservedContainer } from '../model/service.js';
import { passGate } from './gates/pass-gate.js';
import { refuseBrokenNewer } from './broken-backups.js';
import type { Viewing } from './session.js';

/**
 * The backup that is meant. `latest` is the newest that was not taken as the safety of another restore; when that one is not
 * whole, an older one is not taken unasked.
 * @throws ProcedureError E_BACKUP with those there are
 */
export async function findBackup(viewing: Viewing, service: string, wanted: string): Promise<BackupManifest> {
  const { backups, request, project } = viewing;
  const all = await backups.list(request.backupDir, project, service);
  const found =
    wanted === 'latest' ? all.find(({ reason }) => reason !== 'safety') : all.find(({ id }) => id === wanted);
  if (wanted === 'latest') await refuseBrokenNewer(viewing, service, found);
  if (found === undefined) throw await noBackup(viewing, service, wanted, all);
  if (found.project === project && found.service === service) return found;
  throw new ProcedureError('E_BACKUP', `Backup ${found.id} is of ${found.service} in project ${found.project}`, {
    next: `It lies where backups of ${service} in ${project} are, and is not one. Nothing was changed.`,
  });
}

async function noBackup(
  viewing: Viewing,
  service: string,
  wanted: string,
  all: readonly BackupManifest[],
): Promise<ProcedureError> {
  const { backups, request, project, opened } = viewing;
  if (wanted !== 'latest') {
    // Says what is wrong with one that is there and not whole.
    await backups
      .check(backups.folderOf(request.backupDir, project, service, wanted), viewing.signal)
      .catch((error: unknown) => {
        if (error instanceof ProcedureError && !/ENOENT.*manifest/.test(error.message)) throw error;
      });
    for (const other of Object.keys(opened.live.services)) {
      const theirs = await backups.list(request.backupDir, project, other);
      if (theirs.some(({ id }) => id === wanted)) {
        return new ProcedureError('E_BACKUP', `Backup ${wanted} is of ${other}, and not of ${service}`, {
          next: `${choices(service, all)} Nothing was changed.`,
        });
      }
    }
  }
  const what = wanted === 'latest' ? 'backup' : `backup ${wanted}`;
  return new ProcedureError('E_BACKUP', `There is no ${what} of ${service} in ${request.backupDir}`, {
    next: `${choices(service, all)} Nothing was changed.`,
  });
}

function choices(service: string, all: readonly BackupManifest[]): string {
  if (all.length === 0)
    return `There is no backup of ${service}: take one with procedure backup, or correct backup-dir.`;
  return `There is: ${all
    .slice(0, 5)
    .map(({ id }) => id)
    .join(', ')}.`;
}

/**
 * Where the data of a backup belongs now: the same place in the container, whatever its volume is called by now.
 * @returns places, each named as in the backup @throws ProcedureError E_BACKUP when the service has no such place any more
 */
export function requirePlaces(
  service: string,
  manifest: BackupManifest,
  places: readonly DataPlace[],
): readonly DataPlace[] {
  return manifest.entries.map(({ name, kind, source, target }) => {
    const place =
      places.find((one) => one.kind === kind && one.target === target) ??
      places.find((one) => one.kind === kind && one.source === source);
    if (place !== undefined) return { ...place, name };
    throw new ProcedureError(
      'E_BACKUP',
      `Backup ${manifest.id} has ${target} (${source}), and ${service} has no such place`,
      {
        next: `Mount a ${kind === 'bind' ? 'folder and name it with backup-paths' : 'volume'} there, or choose another backup. Nothing was changed.`,
      },
    );
  });
}

/** Reads a backup to its end before anything is touched. @throws ProcedureError E_BACKUP */
export async function checkWhole(
  viewing: Viewing,
  { id, service, entries }: BackupManifest,
  folder: string,
): Promise<void> {
  viewing.progress.info(`reading backup ${id} of ${service}, all of it`);
  await viewing.backups.check(folder, viewing.signal);
  const count = entries.reduce((sum, entry) => sum + entry.entries, 0);
  passGate(viewing, 'backup-whole', {
    kind: 'pass',
    detail: `backup ${id} is whole: checksums, and all of its ${count} entries`,
  });
}

/** @returns an image in whose container data can be deleted @throws ProcedureError E_GATE */
export async function toolFor(viewing: Viewing, containers: readonly ObservedContainer[]): Promise<string> {
  const { engine, project, request, data } = viewing;
  const all = await engine.containers(project);
  const present: string[] = [];
  for (const name of ['busybox', 'alpine', request.edgeImage]) {
    if ((await engine.image(name)) !== undefined) present.push(name);
  }
  const images = [...containers.map(({ imageId }) => imageId), ...all.map(({ imageId }) => imageId), ...present];
  const tool = await data.toolAmong(project, images, viewing.signal);
  if (tool !== undefined) return tool;
  throw new ProcedureError('E_GATE', 'No image on this engine has a shell and rm, which deleting the old data needs', {
    next: 'Pull a small one (docker pull busybox) and start again. Nothing was changed.',
  });
}
