/** The program as a process of its own, so that it can be killed: the action's two doors and the shell's. */
import { strict as assert } from 'node:assert';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { INPUTS } from '../../src/action/input-table.js';
import { PROCEDURES } from '../../src/model/request.js';
import type { Project } from './project.js';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

export interface DoorRun {
  readonly process: ChildProcess;
  /** What it printed until now. */
  output(): string;
  /** Resolves as soon as the output has the text; rejects when the process ends before, or after `timeoutMs`. */
  said(text: string | RegExp, timeoutMs?: number): Promise<void>;
  /** Resolves with the exit code when it has ended; null after a signal. */
  readonly ended: Promise<number | null>;
  /** SIGKILL to this process alone, as the kernel or a runner at the end of its patience does. */
  kill(): Promise<void>;
  /** What it saved for `post`. */
  state(): Readonly<Record<string, string>>;
  /** What it printed to stdout until now: with the shell, the report. */
  stdout(): string;
}

/**
 * Starts a door with inputs as the runner gives them.
 * @param state what `main` saved, for `post`
 * @param environment more variables, such as the runner's own
 */
export function openDoor(
  project: Project,
  door: 'main' | 'post',
  inputs: Readonly<Record<string, string>>,
  state: Readonly<Record<string, string>> = {},
  environment: Readonly<Record<string, string>> = {},
): DoorRun {
  const folder = mkdtempSync(join(project.root, `${door}-`));
  const files = { GITHUB_STATE: join(folder, 'state'), GITHUB_OUTPUT: join(folder, 'output') };
  const summary = join(folder, 'summary.md');
  for (const file of [...Object.values(files), summary]) writeFileSync(file, '');
  const all: Record<string, string> = {
    'working-directory': project.dir,
    'project-name': project.name,
    watch: '0s',
    'state-dir': join(project.root, 'state'),
    'min-free-disk': '10MB',
    ...inputs,
  };
  return startDoor(
    door,
    [],
    REPOSITORY,
    {
      ...inherited(),
      ...environment,
      ...files,
      GITHUB_STEP_SUMMARY: summary,
      ...Object.fromEntries(Object.entries(all).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])),
      ...Object.fromEntries(Object.entries(state).map(([name, value]) => [`STATE_${name}`, value])),
    },
    () => readState(files.GITHUB_STATE),
  );
}

export interface ShellOptions {
  /** Where it is started; the live directory unless given. */
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * Starts a procedure, or a command that only the shell has, as a person types it in the live directory. Its report goes to
 * stdout as JSON. Its temporary files are in a folder of the project.
 * @param inputs options by name; the project's name is not one of them unless given
 */
export function openShell(
  project: Project,
  procedure: string,
  inputs: Readonly<Record<string, string>> = {},
  { cwd = project.dir, environment = {} }: ShellOptions = {},
): DoorRun {
  const isProcedure = (PROCEDURES as readonly string[]).includes(procedure);
  const all: Record<string, string> = {
    'working-directory': '.',
    'state-dir': join(project.root, 'state'),
    ...(isProcedure ? { watch: '0s', 'min-free-disk': '10MB' } : {}),
    ...inputs,
  };
  const takes = (name: string): boolean => {
    const spec = INPUTS.find((input) => input.name === name);
    if (!isProcedure || spec === undefined || name in inputs) return true;
    return spec.procedures === 'all' || (spec.procedures as readonly string[]).includes(procedure);
  };
  const words = Object.entries(all).flatMap(([name, value]) => (takes(name) ? [`--${name}`, value] : []));
  const temporary = join(project.root, 'tmp');
  mkdirSync(temporary, { recursive: true });
  return startDoor('cli', [procedure, ...words, '--json'], cwd, {
    ...Object.fromEntries(Object.entries(inherited()).filter(([name]) => !name.startsWith('COMPOSE_'))),
    TMPDIR: temporary,
    ...environment,
  });
}

/** Where the program kills itself: see `src/ledger/kill-door.ts`. */
const KILL_VARIABLE = 'ROLLING_RESTART_TEST_KILL';

/** @returns variables with which a door kills itself, such as `before:7` or `after:begin:replace-containers` */
export function killVariables(where: string): Readonly<Record<string, string>> {
  return { [KILL_VARIABLE]: where };
}

/**
 * Waits for a door that was started with `killVariables`.
 * @returns false when it came to its end: it wrote fewer journal records than that
 */
export async function wasKilled(door: DoorRun): Promise<boolean> {
  const code = await door.ended;
  if (code !== null) return false;
  assert.equal(door.process.signalCode, 'SIGKILL', door.output());
  return true;
}

/** Starts `main`, which kills itself at a journal record. @returns it after its end; rejects when it was not killed */
export async function killAt(
  project: Project,
  where: string,
  inputs: Readonly<Record<string, string>>,
): Promise<DoorRun> {
  const door = openDoor(project, 'main', inputs, {}, killVariables(where));
  if (!(await wasKilled(door))) throw new Error(`the run came to its end before ${where}:\n${door.output()}`);
  return door;
}

function inherited(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(GITHUB|INPUT|STATE)_/.test(name) && name !== KILL_VARIABLE,
  );
  return Object.fromEntries(kept);
}

function startDoor(
  door: 'main' | 'post' | 'cli',
  words: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
  state: DoorRun['state'] = () => ({}),
): DoorRun {
  const child = spawn(process.execPath, [doorFile(door), ...words], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (printed += chunk));
  let text = '';
  const waiting = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      for (const look of waiting) look();
    });
  }
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  return {
    process: child,
    output: () => text,
    ended,
    said: (wanted, timeoutMs = 60_000) =>
      new Promise((resolve, reject) => {
        const has = (): boolean => (typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text));
        const settle = (problem?: string): void => {
          waiting.delete(look);
          clearTimeout(timer);
          if (problem === undefined) resolve();
          else reject(new Error(`${problem} "${String(wanted)}":\n${text}`));
        };
        const look = (): void => (has() ? settle() : undefined);
        const timer = setTimeout(() => settle('not said in time:'), timeoutMs);
        waiting.add(look);
        void ended.then(() => settle(has() ? undefined : 'it ended without saying'));
        look();
      }),
    async kill() {
      child.kill('SIGKILL');
      // Not `close`: what it started may hold its pipes open for longer.
      if (child.exitCode === null && child.signalCode === null) {
        await new Promise((resolve) => child.once('exit', resolve));
      }
    },
    state,
    stdout: () => printed,
  };
}

let bundled: string | undefined;

/**
 * @returns a program that opens a door of the sources as they are now, which the committed bundle may not be. It is bundled once
 * for each test file, because a compiler in each child takes a second.
 */
export function doorFile(door: 'main' | 'post' | 'cli'): string {
  if (bundled === undefined) {
    const folder = mkdtempSync(join(tmpdir(), 'rr-doors-'));
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    buildSync({
      entryPoints: [join(REPOSITORY, 'src/program.ts')],
      outfile: join(folder, 'program.cjs'),
      bundle: true,
      platform: 'node',
      target: 'node20',
      logLevel: 'error',
    });
    for (const name of ['main', 'post', 'cli']) {
      writeFileSync(join(folder, `${name}.cjs`), `require('./program.cjs').${name}();\n`);
    }
    bundled = folder;
  }
  return join(bundled, `${door}.cjs`);
}

/** `name<<delimiter`, the value, the delimiter: the runner's own form of its files. */
function readState(file: string): Readonly<Record<string, string>> {
  const found = readFileSync(file, 'utf8').matchAll(/^(\w+)<<(\S+)\n([\s\S]*?)\n\2$/gm);
  return Object.fromEntries([...found].map(([, name = '', , value = '']) => [name, value]));
}
