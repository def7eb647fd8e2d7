import { spawn, type ChildProcess } from 'node:child_process';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { ProcedureError, type StuckProcess } from '../model/errors.js';
import { formatDuration } from '../model/units.js';
import type { ByteFilter, Redactor } from '../model/ports/progress.js';
import { shortened } from '../model/shortened.js';
import { LineSplitter } from './lines.js';
import { Tail } from './tail.js';

/** Between SIGTERM and SIGKILL. The runner itself allows 7.5 s from its SIGINT to its SIGTERM, so this has to be less. */
const GRACE_MS = 2_000;
/**
 * How long output may stay open after the child has ended. A process that it left behind holds the pipes open; the
 * runner's own @actions/exec gives it 10 s.
 */
const LEFT_OPEN_MS = 3_000;
const DEFAULT_OUTPUT_LIMIT = 64 * 1024;
/** Kept for an error: as many lines, of as many characters. */
const SHOWN_LINES = 30;
const LONGEST_SHOWN = 2_000;

export interface ChildOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment of the child: `childEnvironment` makes one. */
  readonly env: NodeJS.ProcessEnv;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly cwd?: string | undefined;
  /** What it is called in errors; the command and its first arguments unless given. Never a secret. */
  readonly title?: string | undefined;
  readonly onLine?: ((line: string) => void) | undefined;
  readonly onErrorLine?: ((line: string) => void) | undefined;
  /** Written to its standard input, which is otherwise empty. */
  readonly input?: string | undefined;
  /** Characters kept of stdout and of stderr, from the end; 64 Ki unless given, `Infinity` for all. */
  readonly outputLimit?: number | undefined;
  /** Cleans the lines that people see, and the command line in errors; stdout and stderr of the result stay as they are. */
  readonly redactor?: ChildRedactor | undefined;
}

/** What a child's output goes through before it is cut into lines. */
export type ChildRedactor = Pick<Redactor, 'stream' | 'commandLine'>;

export interface ChildResult {
  /** Undefined when a signal ended it. */
  readonly exitCode: number | undefined;
  readonly endedBy: NodeJS.Signals | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** The last lines of both, in the order in which they came, for people. */
  readonly shown: readonly string[];
}

/** The program is not there, or may not be run. */
export class ChildStartError extends Error {
  override readonly name = 'ChildStartError';
  constructor(
    message: string,
    readonly code: string,
  ) {
    super(message);
  }
}

/**
 * Runs a program in a process group of its own and waits for its end. On abort or at the deadline the whole group gets
 * SIGTERM and 2 s later SIGKILL: the runner signals only our own process (FIELD-NOTES §3), and what a shell started
 * would live on. A non-zero exit code is a result, not an error.
 * @throws ProcedureError E_CANCELLED, E_DEADLINE (with the last lines)
 * @throws ChildStartError when it cannot be started
 */
export async function runChild(options: ChildOptions): Promise<ChildResult> {
  const title = options.title ?? [options.command, ...options.args.slice(0, 2)].join(' ');
  if (options.signal?.aborted === true) throw cancelled(title, [], options.signal.reason);
  await requireDirectory(options.cwd);

  const limit = options.outputLimit ?? DEFAULT_OUTPUT_LIMIT;
  const kept = { stdout: new Tail(limit), stderr: new Tail(limit) };
  const child = spawn(options.command, [...options.args], {
    env: options.env,
    // Not a pipe unless there is something to write: node's pipes are sockets, and bash with a socket as its input
    // takes itself for a remote shell and reads ~/.bashrc (bash manual, "Invoked by remote shell daemon").
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    detached: true,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  feed(child, options.input);
  const shown: string[] = [];
  const show =
    (onLine: ((line: string) => void) | undefined) =>
    (line: string): void => {
      if (line.trim() !== '') shown.push(shortened(line.trimEnd(), LONGEST_SHOWN));
      if (shown.length > SHOWN_LINES) shown.shift();
      onLine?.(line);
    };
  const outputs = [
    new Output(child.stdout, kept.stdout, show(options.onLine), options.redactor),
    new Output(child.stderr, kept.stderr, show(options.onErrorLine), options.redactor),
  ];

  const ending = new Ending(child);
  const abort = (): void => ending.demand('cancelled');
  options.signal?.addEventListener('abort', abort, { once: true });
  const deadline = setTimeout(() => ending.demand('deadline'), options.timeoutMs);
  try {
    const { exitCode, endedBy } = await waitForEnd(child);
    for (const output of outputs) output.end();
    if (ending.reason === 'cancelled') throw cancelled(title, shown, options.signal?.reason);
    if (ending.reason === 'deadline') throw late(title, options.timeoutMs, shown, stuckOf(child, options));
    return { exitCode, endedBy, stdout: kept.stdout.text(), stderr: kept.stderr.text(), shown };
  } finally {
    clearTimeout(deadline);
    ending.settle();
    options.signal?.removeEventListener('abort', abort);
  }
}

/** Ends a process group, politely and then not. */
class Ending {
  reason: 'cancelled' | 'deadline' | undefined;
  #kill: NodeJS.Timeout | undefined;

  constructor(private readonly child: ChildProcess) {}

  demand(reason: 'cancelled' | 'deadline'): void {
    if (this.reason !== undefined) return;
    this.reason = reason;
    this.#signalGroup('SIGTERM');
    this.#kill = setTimeout(() => this.#signalGroup('SIGKILL'), GRACE_MS);
  }

  /** To be called when the child has ended: members of its group that are still there keep their SIGKILL coming. */
  settle(): void {
    if (!this.#signalGroup(0)) clearTimeout(this.#kill);
  }

  /** @returns whether the group still has members */
  #signalGroup(signal: NodeJS.Signals | 0): boolean {
    const { pid } = this.child;
    if (pid === undefined) return false;
    try {
      return process.kill(-pid, signal);
    } catch {
      return false;
    }
  }
}

function feed(child: ChildProcess, input: string | undefined): void {
  // A program that ends without reading its input closes the pipe: its exit code tells more than EPIPE does.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input);
}

/** One of the two outputs: kept as it is, and handed on line by line as people may see it. */
class Output {
  readonly #splitter: LineSplitter;
  readonly #filter: ByteFilter | undefined;

  constructor(
    stream: Readable | null,
    kept: Tail,
    onLine: (line: string) => void,
    redactor: ChildRedactor | undefined,
  ) {
    this.#splitter = new LineSplitter(onLine);
    this.#filter = redactor?.stream();
    const decoder = new StringDecoder('utf8');
    stream?.on('data', (chunk: Buffer) => {
      kept.add(decoder.write(chunk));
      for (const part of this.#filter?.push(chunk) ?? [chunk]) this.#splitter.add(part);
    });
    stream?.on('error', () => undefined);
  }

  end(): void {
    for (const part of this.#filter?.end() ?? []) this.#splitter.add(part);
    this.#splitter.end();
  }
}

async function waitForEnd(child: ChildProcess): Promise<Pick<ChildResult, 'exitCode' | 'endedBy'>> {
  return new Promise((resolve, reject) => {
    let leftOpen: NodeJS.Timeout | undefined;
    const done = (code: number | null, signal: NodeJS.Signals | null): void => {
      clearTimeout(leftOpen);
      resolve({ exitCode: code ?? undefined, endedBy: signal ?? undefined });
    };
    child.once('error', (error: NodeJS.ErrnoException) => {
      reject(new ChildStartError(error.message, error.code ?? 'UNKNOWN'));
    });
    child.once('close', done);
    child.once('exit', (code, signal) => {
      leftOpen = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
        done(code, signal);
      }, LEFT_OPEN_MS);
    });
  });
}

/** Without this a missing working directory reads as a missing program: both are ENOENT to `spawn`. */
async function requireDirectory(cwd: string | undefined): Promise<void> {
  if (cwd === undefined) return;
  const found = await stat(cwd).catch(() => undefined);
  if (found?.isDirectory() !== true) throw new ChildStartError(`there is no directory ${cwd}`, 'ENOTDIR');
}

/** @param reason of the signal: who cancelled, when that is known */
function cancelled(title: string, lines: readonly string[], reason: unknown): ProcedureError {
  const known = reason instanceof ProcedureError ? reason : undefined;
  return new ProcedureError(
    known?.code ?? 'E_CANCELLED',
    `${known?.message ?? 'The run was cancelled'}; "${title}" was ended`,
    {
      next: known?.next ?? 'Start the procedure again when ready.',
      excerpt: lines.length === 0 ? [] : [{ title: 'last output', lines }],
    },
  );
}

/** Of a long command line, which begins with where the project is, the end says what it does. */
const SHOWN_COMMAND = { begin: 40, end: 120 } as const;

function stuckOf(
  { pid }: ChildProcess,
  { command, args, timeoutMs, redactor }: ChildOptions,
): StuckProcess | undefined {
  if (pid === undefined) return undefined;
  const whole = [path.basename(command), ...args].join(' ');
  const line = redactor?.commandLine(whole) ?? whole;
  const { begin, end } = SHOWN_COMMAND;
  const short = line.length > begin + end ? `${line.slice(0, begin)} … ${line.slice(-end)}` : line;
  return { pid, command: short, waitedMs: timeoutMs };
}

function late(
  title: string,
  timeoutMs: number,
  lines: readonly string[],
  stuck: StuckProcess | undefined,
): ProcedureError {
  return new ProcedureError('E_DEADLINE', `"${title}" took longer than ${formatDuration(timeoutMs)} and was ended`, {
    next: 'See what it was waiting for in its last output.',
    stuck,
    excerpt: lines.length === 0 ? [] : [{ title: 'last output', lines }],
  });
}
