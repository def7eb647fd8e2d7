/** The program as a process of its own, so that it can be killed: the action's two doors and the shell's. */
import { spawn, type ChildProcess } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
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
  const kept = Object.entries(process.env).filter(([name]) => !/^(GITHUB|INPUT|STATE)_/.test(name));
  const child = spawn(process.execPath, ['--import', 'tsx', doorFile(door)], {
    cwd: REPOSITORY,
    env: {
      ...Object.fromEntries(kept),
      ...environment,
      ...files,
      GITHUB_STEP_SUMMARY: summary,
      ...Object.fromEntries(Object.entries(all).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])),
      ...Object.fromEntries(Object.entries(state).map(([name, value]) => [`STATE_${name}`, value])),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
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
    state: () => readState(files.GITHUB_STATE),
  };
}

/** @returns a file that opens a door of the sources, as a starter in `dist/` opens one of the bundle */
export function doorFile(door: 'main' | 'post' | 'cli'): string {
  return join(sources(), `${door}.mjs`);
}

let copied: string | undefined;

/** A copy of the sources as they are now, which the committed bundle may not be. tsx reads it as ES modules. */
function sources(): string {
  if (copied !== undefined) return copied;
  const folder = mkdtempSync(join(tmpdir(), 'rr-doors-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  cpSync(join(REPOSITORY, 'src'), join(folder, 'src'), { recursive: true });
  symlinkSync(join(REPOSITORY, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  for (const door of ['main', 'post', 'cli']) {
    writeFileSync(join(folder, `${door}.mjs`), `import { ${door} } from './src/program.ts';\nawait ${door}();\n`);
  }
  copied = folder;
  return folder;
}

/** `name<<delimiter`, the value, the delimiter: the runner's own form of its files. */
function readState(file: string): Readonly<Record<string, string>> {
  const found = readFileSync(file, 'utf8').matchAll(/^(\w+)<<(\S+)\n([\s\S]*?)\n\2$/gm);
  return Object.fromEntries([...found].map(([, name = '', , value = '']) => [name, value]));
}
