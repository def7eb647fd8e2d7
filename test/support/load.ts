/** Traffic from a process of its own, that knows nothing of what is done to the service, and counts. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const CHILD = fileURLToPath(new URL('load-child.mjs', import.meta.url));
/** What stopping may take: requests in flight have a timeout of 10 s of their own, slow ones more. */
const STOP_MS = 60_000;

export interface LoadOptions {
  readonly url: string;
  /** Requests a second, whatever becomes of them. */
  readonly rate: number;
  /** Over connections that are kept; otherwise each request has a new one. */
  readonly keepAlive: boolean;
  /** Milliseconds until a request counts as failed; 10 s unless given. */
  readonly timeoutMs?: number;
  /** Requests that take long, sent as well, each over a connection of its own, so that some are always in flight. */
  readonly slow?: { readonly url: string; readonly everyMs: number };
  /** Sent from a container in this network, as another service of the project would; otherwise from the host. */
  readonly network?: string;
}

export interface LoadCounts {
  readonly requests: number;
  readonly failed: number;
  /** By kind: `ECONNREFUSED`, `ECONNRESET`, `timeout`, `status 503`, … */
  readonly failures: Readonly<Record<string, number>>;
  /** When the first ten that failed were sent, and how long they took. */
  readonly firstFailures: readonly string[];
  /** The longest time in which no good answer came. */
  readonly longestGapMs: number;
  readonly slowestMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Good answers by the version that answered: header `x-version`, or the first word. */
  readonly versions: Readonly<Record<string, number>>;
  /** The version of the last good answer. */
  readonly lastVersion?: string;
}

export interface LoadReport extends LoadCounts {
  readonly slow: LoadCounts;
}

export interface Load {
  /** Stops sending, waits for what is in flight, and counts. */
  stop(): Promise<LoadReport>;
}

/** Resolves when the first request is sent. Call `stop()` in every path: it ends the process. */
export async function startLoad(options: LoadOptions): Promise<Load> {
  const [command = '', ...args] = commandOf(options);
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  let output = '';
  const started = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the load generator ended with ${code}`)));
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (output.includes('started\n')) resolve();
    });
  });
  await started;
  return {
    async stop() {
      const closed = once(child, 'close', { signal: AbortSignal.timeout(STOP_MS) });
      child.stdin.end();
      await closed.finally(() => child.kill('SIGKILL'));
      return JSON.parse(output.slice(output.indexOf('started\n') + 'started\n'.length)) as LoadReport;
    },
  };
}

function commandOf(options: LoadOptions): readonly string[] {
  const { network } = options;
  if (network === undefined) return [process.execPath, CHILD, JSON.stringify(options)];
  const image = process.env['ROLLING_RESTART_TEST_BASE_IMAGE'] ?? 'rolling-restart-base:node';
  const mount = ['--volume', `${CHILD}:/load-child.mjs:ro`];
  return ['docker', 'run', '--rm', '--init', '-i', '--network', network, ...mount, image].concat([
    ...['node', '/load-child.mjs', JSON.stringify(options)],
  ]);
}
