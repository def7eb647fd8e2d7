/**
 * A Docker engine of the test's own, in a network namespace of its own, that may be ended and started as often as a test
 * likes: the engine that all tests share is not touched, nor are its firewall and its networks.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const UP_MS = 60_000;
const DOWN_MS = 60_000;
const ASK = `fetch(process.argv[1], { signal: AbortSignal.timeout(5_000) })
  .then((answer) => (answer.ok ? answer.text() : Promise.reject(new Error(answer.statusText))))
  .then((text) => process.stdout.write(text));`;

export interface PrivateEngine {
  /** What DOCKER_HOST is, to reach it. */
  readonly host: string;
  /** Copies images of the engine that all tests share. */
  load(images: readonly string[]): Promise<void>;
  /** Ends dockerd, waits until it is gone, and starts it again, as an upgrade of the package or a crash would. */
  restart(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Keeps dockerd from doing anything: it takes connections and answers none, as one that hangs. `restart` ends that. */
  freeze(): void;
  /** What a caller on that host gets. @returns undefined when it gets no good answer */
  ask(url: string): Promise<string | undefined>;
  /** What there is, and the end of its log: for a test that fails. */
  explain(): Promise<string>;
  stop(): Promise<void>;
}

export async function startPrivateEngine(): Promise<PrivateEngine> {
  // Not in the folder for temporary files: that may be a file system on which no overlay can be laid.
  const data = await mkdtemp('/var/lib/rolling-restart-test-');
  // Sockets need a short path.
  const run = await mkdtemp(join(tmpdir(), 'rr-engine-'));
  const host = `unix://${run}/docker.sock`;
  const started: ChildProcess[] = [];
  const start = (name: string, command: string, args: readonly string[]): ChildProcess => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: withoutHost() });
    const log = createWriteStream(join(data, `${name}.log`), { flags: 'a' });
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    started.push(child);
    return child;
  };

  const namespace = start('namespace', 'unshare', ['--net', 'sh', '-c', 'ip link set lo up && exec sleep 3600']);
  const inside = (...command: readonly string[]): readonly string[] => [
    `--net=/proc/${namespace.pid}/ns/net`,
    ...command,
  ];
  // Kubernetes' interface is of no use here and wants network plugins.
  const settings = join(data, 'containerd.toml');
  await writeFile(settings, 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n');
  await writeFile(join(data, 'daemon.json'), '{}\n');
  await mkdir(join(run, 'containerd'));
  start('containerd', 'containerd', [
    ...['--config', settings, '--address', `${run}/containerd.sock`],
    ...['--root', join(data, 'containerd'), '--state', join(run, 'containerd')],
  ]);

  let dockerd: ChildProcess;
  const startDockerd = async (): Promise<void> => {
    dockerd = start(
      'dockerd',
      'nsenter',
      inside(
        'dockerd',
        ...['--data-root', join(data, 'docker'), '--exec-root', join(run, 'exec')],
        ...['--pidfile', join(run, 'docker.pid'), '--host', host],
        ...['--config-file', join(data, 'daemon.json'), '--containerd', `${run}/containerd.sock`],
      ),
    );
    const until = Date.now() + UP_MS;
    for (;;) {
      if ((await finish(spawn('docker', ['--host', host, 'version'], { stdio: 'ignore' }))) === 0) return;
      if (Date.now() > until || dockerd.exitCode !== null) {
        throw new Error(
          `dockerd did not come up:\n${(await readFile(join(data, 'dockerd.log'), 'utf8')).slice(-2_000)}`,
        );
      }
      await sleep(200);
    }
  };
  const stop = async (): Promise<void> => {
    for (const child of started.reverse()) await end(child, 'SIGTERM');
    // Mounts of containers that were ended by force.
    await finish(
      spawn('sh', ['-c', `for m in $(grep -o '${data}[^ ]*\\|${run}[^ ]*' /proc/mounts); do umount -l "$m"; done`]),
    );
    for (const folder of [data, run]) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await startDockerd();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    host,
    async load(images) {
      const save = spawn('docker', ['save', ...images], { stdio: ['ignore', 'pipe', 'inherit'] });
      const load = spawn('docker', ['--host', host, 'load', '--quiet'], { stdio: ['pipe', 'ignore', 'inherit'] });
      save.stdout.pipe(load.stdin);
      const codes = await Promise.all([finish(save), finish(load)]);
      if (codes.some((code) => code !== 0)) throw new Error(`images could not be copied: ${codes.join(', ')}`);
    },
    async restart(signal) {
      await end(dockerd, signal);
      await startDockerd();
    },
    freeze() {
      dockerd.kill('SIGSTOP');
    },
    async ask(url) {
      const asking = spawn('nsenter', inside(process.execPath, '--eval', ASK, url), {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      let text = '';
      asking.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
      return (await finish(asking)) === 0 ? text : undefined;
    },
    async explain() {
      const listing = spawn('docker', ['--host', host, 'ps', '--all', '--no-trunc'], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      let text = '';
      listing.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
      await finish(listing);
      return `${text}\n${(await readFile(join(data, 'dockerd.log'), 'utf8')).slice(-4_000)}`;
    },
    stop,
  };
}

/** The machine's engine is not what these programs are about. */
function withoutHost(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => name !== 'DOCKER_HOST'));
}

async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  const forced = setTimeout(() => child.kill('SIGKILL'), DOWN_MS);
  await gone;
  clearTimeout(forced);
}

async function finish(child: ChildProcess): Promise<number | null> {
  const [code] = (await once(child, 'close')) as [number | null];
  return code;
}
