import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LeftProcess } from '../model/ports/host.js';

/** Every process that a run starts has this in its environment, with the run's id. */
export const RUN_VARIABLE = 'ROLLING_RESTART_RUN';

/** As for children of a live run: between SIGTERM and SIGKILL. */
const GRACE_MS = 2_000;
const LOOK_EVERY_MS = 50;

/**
 * Ends what a killed run had started and what outlived it: children have process groups of their own, so a
 * `docker compose up` or a build goes on after its parent's SIGKILL, and would work against whoever repairs. Found by
 * their environment (Linux, proc(5)); processes of other users cannot be seen, nor those of another host.
 * @param only of these alone
 * @returns how many there were
 */
export async function endLeftProcesses(run: string, only?: readonly number[]): Promise<number> {
  const meant = async (): Promise<readonly number[]> =>
    (await processesOf(run)).filter((pid) => only?.includes(pid) !== false);
  const found = await meant();
  signalAll(found, 'SIGTERM');
  if (await goneWithin(meant, GRACE_MS)) return found.length;
  signalAll(await meant(), 'SIGKILL');
  await goneWithin(meant, GRACE_MS);
  return found.length;
}

/** @returns what runs of a run on this host, but for this process */
export async function leftProcesses(run: string): Promise<readonly LeftProcess[]> {
  const found = await Promise.all(
    (await processesOf(run)).map(async (pid) => {
      const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return { pid, command: words.split('\0').join(' ').trim() };
    }),
  );
  return found.filter(({ command }) => command !== '');
}

async function goneWithin(meant: () => Promise<readonly number[]>, ms: number): Promise<boolean> {
  const endsAt = performance.now() + ms;
  while ((await meant()).length > 0) {
    if (performance.now() > endsAt) return false;
    await sleep(LOOK_EVERY_MS);
  }
  return true;
}

/** One that has ended and waits to be reaped has no environment any more. */
async function processesOf(run: string): Promise<readonly number[]> {
  const names = await readdir('/proc').catch(() => []);
  const pids = names.map(Number).filter((pid) => Number.isInteger(pid) && pid !== process.pid);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
      return environment.split('\0').includes(`${RUN_VARIABLE}=${run}`) ? [pid] : [];
    }),
  );
  return found.flat();
}

function signalAll(pids: readonly number[], signal: 'SIGTERM' | 'SIGKILL'): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended meanwhile, which is what was wanted.
    }
  }
}
