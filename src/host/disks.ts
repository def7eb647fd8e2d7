import { statfs } from 'node:fs/promises';
import path from 'node:path';
import type { Disks } from '../model/ports/host.js';

/** The disks of the host this process runs on. */
export function createDisks(): Disks {
  return {
    async freeBytes(wanted) {
      if (!path.isAbsolute(wanted)) return undefined;
      for (let place = path.normalize(wanted); ; place = path.dirname(place)) {
        const found = await free(place);
        if (found !== 'missing') return found;
        if (place === path.dirname(place)) return undefined;
      }
    },
  };
}

/** What is left for processes that are not root, which is what `df` shows. */
async function free(place: string): Promise<number | 'missing' | undefined> {
  try {
    const { bavail, bsize } = await statfs(place);
    return bavail * bsize;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'missing' : undefined;
  }
}
