import { readdir, readFile, readlink } from 'node:fs/promises';
import type { Listeners } from '../model/ports/host.js';

/** State `0A` of /proc/net/tcp: it listens. */
const LISTENING = '0A';

/** Who listens on this host, from /proc (proc(5)): what `netstat -tlnp` shows. Nothing where there is no /proc. */
export function createListeners(): Listeners {
  return {
    async on(port) {
      const inodes = new Set([...(await inodesOf('/proc/net/tcp', port)), ...(await inodesOf('/proc/net/tcp6', port))]);
      if (inodes.size === 0) return undefined;
      return (await processWith(inodes)) ?? { pid: undefined, name: undefined };
    },
  };
}

async function inodesOf(file: string, port: number): Promise<readonly string[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return text.split('\n').flatMap((line) => {
    const columns = line.trim().split(/\s+/);
    return columns[1]?.endsWith(`:${hex}`) === true && columns[3] === LISTENING ? [columns[9] ?? ''] : [];
  });
}

async function processWith(
  inodes: ReadonlySet<string>,
): Promise<{ readonly pid: number; readonly name: string } | undefined> {
  const names = new Set([...inodes].map((inode) => `socket:[${inode}]`));
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    // Only root sees those of other users.
    const handles = await readdir(`/proc/${pid}/fd`).catch(() => []);
    const links = await Promise.all(handles.map((handle) => readlink(`/proc/${pid}/fd/${handle}`).catch(() => '')));
    if (!links.some((link) => names.has(link))) continue;
    const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '?');
    return { pid: Number(pid), name: name.trim() };
  }
  return undefined;
}
