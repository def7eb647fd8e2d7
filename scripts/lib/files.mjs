/** Where the scripts keep what they download or build, and a lock for two scripts that want to make it at once. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of this repository. */
export const projectRoot = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/**
 * A folder of the user's cache, made when missing: `$XDG_CACHE_HOME/rolling-restart/…`.
 *
 * @param {...string} parts
 */
export function cacheFolder(...parts) {
  const base = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const folder = join(base, 'rolling-restart', ...parts);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Whether a process with this id lives (one that belongs to somebody else counts). */
export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** The process id in a file, or undefined when there is none. */
export function readPid(file) {
  try {
    const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Runs `work` while no other script holds the lock of this name. A lock whose owner is dead is taken over.
 *
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} work
 * @param {{ log?: (line: string) => void, timeoutMs?: number }} [options]
 * @returns {Promise<T>}
 */
export async function withLock(name, work, { log = () => {}, timeoutMs = 600_000 } = {}) {
  // Among the temporary files, which do not outlive a reboot: process ids do not either.
  const folder = join(tmpdir(), `rolling-restart-locks-${process.getuid?.() ?? 'user'}`);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, name);
  const giveUpAt = Date.now() + timeoutMs;
  let told = false;
  for (;;) {
    try {
      writeFileSync(file, `${process.pid}\n`, { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const owner = readPid(file);
    if (owner !== undefined && !isAlive(owner)) {
      rmSync(file, { force: true });
      continue;
    }
    if (Date.now() > giveUpAt) throw new Error(`another script (process ${owner}) has held ${file} for too long`);
    if (!told) log(`waiting for another script (process ${owner}) that is setting up the same thing`);
    told = true;
    await sleep(200);
  }
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

/** @param {number} ms */
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Asks again and again until the answer is not undefined.
 *
 * @template T
 * @param {() => Promise<T | undefined>} ask
 * @param {{ timeoutMs: number, everyMs?: number }} options
 * @returns {Promise<T | undefined>} undefined when the time is over
 */
export async function waitFor(ask, { timeoutMs, everyMs = 100 }) {
  const giveUpAt = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > giveUpAt) return undefined;
    await sleep(everyMs);
  }
}
