import type { StatsFs } from 'node:fs';
import { statfs } from 'node:fs/promises';
import path from 'node:path';
import type { Disks } from '../model/ports/host.js';

/** The disks of the host this process runs on. */
export function createDisks(): Disks {
  return {
    // What is left for processes that are not root, which is what `df` shows.
    freeBytes: (wanted) => look(wanted, ({ bavail, bsize }) => bavail * bsize),
    totalBytes: (wanted) => look(wanted, ({ blocks, bsize }) => blocks * bsize),
  };
}

/** Of the nearest folder that is there. */
async function look(wanted: string, bytesOf: (disk: StatsFs) => number): Promise<number | undefined> {
  if (!path.isAbsolute(wanted)) return undefined;
  for (let place = path.normalize(wanted); ; place = path.dirname(place)) {
    const disk = await diskOf(place);
    if (disk === undefined) return undefined;
    if (disk !== 'missing') return bytesOf(disk);
    if (place === path.dirname(place)) return undefined;
  }
}

async function diskOf(place: string): Promise<StatsFs | 'missing' | undefined> {
  try {
    return await statfs(place);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'missing' : undefined;
  }
}
