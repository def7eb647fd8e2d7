import { spawn, type ChildProcess } from 'node:child_process';
import type { RequestOptions } from 'node:https';
import { RUN_VARIABLE } from './left-processes.js';
import { WATCHDOG_PROGRAM } from './watchdog-program.js';

/** What a watchdog watches over, as plain data. */
export interface Watched {
  readonly how: 'pause' | 'stop';
  readonly containers: readonly {
    readonly id: string;
    readonly startedAt: string;
    /** How long a request to pause or stop it may still be under way, in milliseconds. */
    readonly tryMs: number;
  }[];
  /** How the engine is reached: a socket, or host and port with what TLS needs. */
  readonly engine: Pick<
    RequestOptions,
    'socketPath' | 'host' | 'port' | 'protocol' | 'ca' | 'cert' | 'key' | 'rejectUnauthorized'
  >;
  readonly limitMs: number;
}

export interface Watchdog {
  /** Everything goes on: it ends, and does nothing more. */
  dismiss(): Promise<void>;
}

/** How long an engine that does not answer is asked again. */
const GIVE_UP_MS = 10 * 60_000;
const END_MS = 2_000;

/**
 * Starts a process that lives on when this one is killed, and lets containers go on then. It has a session of its own and next
 * to nothing in its environment: a runner ends every process that carries its RUNNER_TRACKING_ID at the end of a job. What
 * recovers the run finds it by the run's id, and ends it before it takes over.
 * @throws Error when it cannot be started
 */
export async function startWatchdog(run: string, watched: Watched): Promise<Watchdog> {
  const libraries = process.env['LD_LIBRARY_PATH'];
  const child = spawn(process.execPath, ['-e', WATCHDOG_PROGRAM], {
    cwd: '/',
    env: { [RUN_VARIABLE]: run, ...(libraries === undefined ? {} : { LD_LIBRARY_PATH: libraries }) },
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
  // It may have ended: then nobody reads.
  child.stdin.on('error', () => undefined);
  await write(child, `${JSON.stringify({ ...watched, giveUpMs: GIVE_UP_MS })}\n`);
  child.unref();
  return { dismiss: () => dismiss(child) };
}

async function dismiss(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const timer = setTimeout(() => child.kill('SIGKILL'), END_MS);
  child.ref();
  child.stdin?.end('done\n');
  await ended;
  clearTimeout(timer);
}

function write(child: ChildProcess, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.stdin?.write(text, (error) => (error === null || error === undefined ? resolve() : reject(error)));
  });
}
