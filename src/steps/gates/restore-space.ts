import type { BackupManifest, DataPlace } from '../../model/backup.js';
import { ProcedureError } from '../../model/errors.js';
import { formatSize } from '../../model/units.js';
import type { Viewing } from '../session.js';
import type { GateFinding } from './pass-gate.js';

/** What a tar archive adds to each entry at most: its header, and what fills its last block (POSIX, ustar). */
const OF_AN_ENTRY_BYTES = 1_024;

/**
 * What is restored takes the place of what is there, and has to fit. It refuses what certainly does not; where nobody can say
 * how much is there now, or how much is free, it warns at most.
 * @param places each named as in the backup
 */
export async function restoreSpaceGate(
  viewing: Viewing,
  manifest: BackupManifest,
  places: readonly DataPlace[],
): Promise<GateFinding> {
  const { data, disks, signal } = viewing;
  const sizes = await data.sizes(
    places.flatMap(({ kind, source }) => (kind === 'volume' ? [source] : [])),
    signal,
  );
  const unsure: string[] = [];
  for (const place of places) {
    const entry = manifest.entries.find(({ name }) => name === place.name);
    const folder = place.kind === 'volume' ? await data.folderOf(place.source) : place.source;
    const [free, total] =
      folder === undefined ? [] : await Promise.all([disks.freeBytes(folder), disks.totalBytes(folder)]);
    if (entry === undefined || free === undefined || total === undefined) continue;
    const needed = Math.max(0, entry.tarBytes - entry.entries * OF_AN_ENTRY_BYTES);
    // The engine counts no volume that lies in a folder of its own choice (`driver_opts`), and nobody counts folders.
    const there = place.kind === 'volume' ? sizes[place.source] : undefined;
    const room = there === undefined ? total : Math.min(total, free + there);
    const what = `${place.source} needs ${formatSize(needed)} for backup ${manifest.id}`;
    if (needed > room) return refuse(`${what}, and at most ${formatSize(room)} can be free on its disk`);
    if (needed > free && there === undefined) {
      unsure.push(`${what}, and ${formatSize(free)} of its disk are free beside what is there now`);
    }
  }
  if (unsure.length > 0) return { kind: 'warn', detail: unsure.join('; ') };
  return {
    kind: 'pass',
    detail: `backup ${manifest.id} fits where it is restored to, as far as can be seen from here`,
  };
}

function refuse(message: string): GateFinding {
  return {
    kind: 'refuse',
    error: new ProcedureError('E_GATE', message, {
      next: 'Free space on that disk, or make it larger; the backup and the data are as they were. Nothing was changed.',
    }),
  };
}
