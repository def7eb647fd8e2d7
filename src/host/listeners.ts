import { readdir, readFile, readlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { ProcedureError } from '../model/errors.js';
import type { Listener, Listeners } from '../model/ports/host.js';

/** State `0A` of /proc/net/tcp: it listens. */
const LISTENING = '0A';
const LOOK_EVERY_MS = 50;
/** What the kernel needs to take a killed process away. */
const KILLED_MS = 2_000;
/** Parts of an engine: what holds a port for a container of another engine is not to be ended from here. */
const ENGINE_PROGRAMS: ReadonlySet<string> = new Set(['docker-proxy', 'dockerd', 'containerd', 'rootlesskit']);

/** Who listens on this host, from /proc (proc(5)): what `netstat -tlnp` shows. Nothing where there is no /proc. */
export function createListeners(): Listeners {
  return {
    async on(port) {
      const inodes = new Set([...(await inodesOf('/proc/net/tcp', port)), ...(await inodesOf('/proc/net/tcp6', port))]);
      if (inodes.size === 0) return undefined;
      return (await oldestWith(inodes)) ?? 'unseen';
    },

    async end(listener, graceMs, signal) {
      if (!(await isThere(listener)) || !send(listener.pid, 'SIGTERM')) return 'gone';
      if (await goneWithin(listener, graceMs, signal)) return 'ended';
      send(listener.pid, 'SIGKILL');
      if (await goneWithin(listener, KILLED_MS, signal)) return 'killed';
      throw new ProcedureError('E_REMEDY', `Process ${listener.pid} lives on after SIGKILL: the kernel holds it`, {
        next: 'Look at what it waits for (its state D in ps, the kernel log); only a reboot may end it.',
      });
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

/** A server that has forked shares its socket with its children; the oldest is the one that would fork them anew. */
async function oldestWith(inodes: ReadonlySet<string>): Promise<Listener | undefined> {
  const names = new Set([...inodes].map((inode) => `socket:[${inode}]`));
  const found: Listener[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    // Only root sees those of other users.
    const handles = await readdir(`/proc/${pid}/fd`).catch(() => []);
    const links = await Promise.all(handles.map((handle) => readlink(`/proc/${pid}/fd/${handle}`).catch(() => '')));
    if (!links.some((link) => names.has(link))) continue;
    const listener = await describe(Number(pid));
    if (listener !== undefined) found.push(listener);
  }
  const [oldest, ...sharing] = found.sort((one, other) => Number(one.started) - Number(other.started));
  return oldest === undefined ? undefined : { ...oldest, sharing };
}

async function describe(pid: number): Promise<Listener | undefined> {
  const facts = await statOf(pid);
  if (facts === undefined) return undefined;
  const found = await containerOf(pid);
  // Where we run in a container ourselves, what runs beside us in it is a process like any other.
  const container = found === (await containerOf('self')) ? undefined : found;
  return {
    pid,
    name: facts.name,
    started: facts.started,
    container,
    sharing: [],
    essential: await whyNot(pid, facts.name),
  };
}

/** @returns the id of the container that a process runs in, by its control group (cgroups(7)) */
async function containerOf(pid: number | 'self'): Promise<string | undefined> {
  const groups = await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => '');
  return /(?:^|[/-])([0-9a-f]{64})(?:\.scope)?(?:\/|$)/m.exec(groups)?.[1];
}

async function whyNot(pid: number, name: string): Promise<string | undefined> {
  if (pid === 1) return 'it is process 1 of this host';
  if (ENGINE_PROGRAMS.has(name)) return 'it is part of a Docker engine, and holds it for something else';
  return (await ownAncestors()).has(pid) ? 'this run is a child of it' : undefined;
}

async function ownAncestors(): Promise<ReadonlySet<number>> {
  const found = new Set<number>();
  for (let pid: number | undefined = process.pid; pid !== undefined && pid > 0 && !found.has(pid);) {
    found.add(pid);
    pid = (await statOf(pid))?.parent;
  }
  return found;
}

interface ProcessFacts {
  readonly name: string;
  readonly state: string;
  readonly parent: number;
  readonly started: string;
}

/** /proc/PID/stat: the name in parentheses may hold spaces and parentheses; fields 3, 4 and 22 follow it. */
async function statOf(pid: number): Promise<ProcessFacts | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const [open, close] = [text.indexOf('('), text.lastIndexOf(')')];
  if (open === -1 || close === -1) return undefined;
  const rest = text.slice(close + 2).split(' ');
  return {
    name: text.slice(open + 1, close),
    state: rest[0] ?? '',
    parent: Number(rest[1]),
    started: rest[19] ?? '',
  };
}

/** One that has ended and waits to be reaped holds nothing any more. */
async function isThere({ pid, started }: Pick<Listener, 'pid' | 'started'>): Promise<boolean> {
  const facts = await statOf(pid);
  return facts !== undefined && facts.started === started && facts.state !== 'Z' && facts.state !== 'X';
}

async function goneWithin(
  listener: Pick<Listener, 'pid' | 'started'>,
  ms: number,
  signal: AbortSignal,
): Promise<boolean> {
  const endsAt = performance.now() + ms;
  while (await isThere(listener)) {
    if (performance.now() > endsAt) return false;
    await sleep(LOOK_EVERY_MS, undefined, { signal });
  }
  return true;
}

/** @returns false when it is gone already */
function send(pid: number, unixSignal: 'SIGTERM' | 'SIGKILL'): boolean {
  try {
    return process.kill(pid, unixSignal);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw new ProcedureError('E_REMEDY', `Process ${pid} may not be ended by this user`, {
      next: 'Run this as root, or end it yourself.',
      cause: error,
    });
  }
}
