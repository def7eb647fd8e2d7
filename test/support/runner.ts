/**
 * Runs the compiled action as the runner runs it: on Node 24, with `INPUT_…`, files for outputs, state and summary, and
 * commands on standard output. What the runner does with them is written down at
 * https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands and in actions/runner
 * (`ActionCommandManager.cs`, `FileCommandManager.cs`).
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { ensureNode24 } from '../../scripts/lib/node24.mjs';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
/** A run that takes longer than this is a hanging one. */
const DEADLINE_MS = 110_000;

export interface RunnerOptions {
  /** Which door; `main` unless given. */
  readonly door?: 'main' | 'post';
  /** The `with:` block; the defaults of action.yml are added, as the runner does. */
  readonly inputs: Readonly<Record<string, string>>;
  /** What `main` saved, for `post`. */
  readonly state?: Readonly<Record<string, string>>;
  /** More variables, and others than the usual ones. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Called with the process as soon as it runs and with each line of its log. */
  readonly onLine?: (line: string, kill: (signal: NodeJS.Signals) => void) => void;
}

export interface Annotation {
  readonly level: 'error' | 'warning' | 'notice';
  readonly text: string;
}

export interface RunnerResult {
  /** null when a signal ended it. */
  readonly exitCode: number | null;
  readonly outputs: Readonly<Record<string, string>>;
  readonly state: Readonly<Record<string, string>>;
  readonly summary: string;
  /** What a person sees: without the commands that the runner takes for itself, and not yet masked. */
  readonly log: string;
  readonly masks: readonly string[];
  readonly annotations: readonly Annotation[];
  /** The job's workspace during the run. */
  readonly workspace: string;
}

/** The runner's folders of one job. The caller owns it and calls `remove()`. */
export interface Job {
  readonly workspace: string;
  run(options: RunnerOptions): Promise<RunnerResult>;
  remove(): Promise<void>;
}

/** Makes the folders of a job. */
export async function makeJob(): Promise<Job> {
  const root = await mkdtemp(join(tmpdir(), 'rr-runner-'));
  const workspace = join(root, '_work/roma/roma');
  await mkdir(workspace, { recursive: true });
  const [node, defaults] = await Promise.all([node24(), inputDefaults()]);
  return {
    workspace,
    run: (options) => runDoor({ root, workspace, node, defaults }, options),
    remove: () => rm(root, { recursive: true, force: true, maxRetries: 3 }),
  };
}

interface Place {
  readonly root: string;
  readonly workspace: string;
  readonly node: string;
  readonly defaults: Readonly<Record<string, string>>;
}

async function node24(): Promise<string> {
  const given = process.env['ROLLING_RESTART_TEST_NODE24'] ?? '';
  return given === '' ? ensureNode24() : given;
}

/** The runner sets every input of action.yml, with its default or empty. */
async function inputDefaults(): Promise<Readonly<Record<string, string>>> {
  const text = await readFile(join(REPOSITORY, 'action.yml'), 'utf8');
  const { inputs } = parse(text) as { inputs: Readonly<Record<string, { default?: unknown }>> };
  return Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, asText(input.default)]));
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);
}

async function runDoor(place: Place, options: RunnerOptions): Promise<RunnerResult> {
  const { door = 'main' } = options;
  const folder = join(place.root, randomBytes(4).toString('hex'));
  await mkdir(folder);
  const file = (name: string): string => join(folder, name);
  const files = { output: file('output'), state: file('state'), summary: file('summary'), env: file('env') };
  // The runner makes them, empty, before each step.
  await Promise.all(Object.values(files).map((path) => writeFile(path, '')));
  const { exitCode, stdout, stderr } = await spawnDoor(
    place,
    join(REPOSITORY, `dist/${door}.js`),
    environmentOf(place, files, options),
    options.onLine,
  );
  const [output, state, summary] = await Promise.all(
    [files.output, files.state, files.summary].map((path) => readFile(path, 'utf8')),
  );
  return {
    exitCode,
    outputs: parseFileCommands(output ?? ''),
    state: parseFileCommands(state ?? ''),
    summary: summary ?? '',
    workspace: place.workspace,
    ...takeCommands(`${stdout}\n${stderr}`),
  };
}

/** What a step of an action sees. Nothing of the test's own runner, where there is one. */
function environmentOf(
  place: Place,
  files: { readonly output: string; readonly state: string; readonly summary: string; readonly env: string },
  { inputs, state = {}, environment = {} }: RunnerOptions,
): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) =>
      !/^(?:INPUT|STATE|GITHUB|RUNNER|ACTIONS|COMPOSE|ROLLING_RESTART|VITEST|NODE|BASE_IMAGE)(?:_|$)/.test(name),
  );
  const given = Object.entries({ ...place.defaults, ...inputs });
  return {
    ...Object.fromEntries(inherited),
    CI: 'true',
    GITHUB_ACTIONS: 'true',
    GITHUB_WORKSPACE: place.workspace,
    GITHUB_REPOSITORY: 'example/roma',
    GITHUB_SERVER_URL: 'https://github.com',
    GITHUB_API_URL: 'https://api.github.com',
    GITHUB_RUN_ID: '1234567',
    GITHUB_RUN_NUMBER: '7',
    GITHUB_RUN_ATTEMPT: '1',
    GITHUB_ACTOR: 'octocat',
    GITHUB_TRIGGERING_ACTOR: 'octocat',
    GITHUB_EVENT_NAME: 'push',
    GITHUB_REF: 'refs/heads/main',
    GITHUB_REF_NAME: 'main',
    GITHUB_WORKFLOW: 'Deploy',
    GITHUB_JOB: 'deploy',
    RUNNER_OS: 'Linux',
    RUNNER_WORKSPACE: join(place.root, '_work/roma'),
    RUNNER_TEMP: join(place.root, '_work/_temp'),
    GITHUB_OUTPUT: files.output,
    GITHUB_STATE: files.state,
    GITHUB_STEP_SUMMARY: files.summary,
    GITHUB_ENV: files.env,
    ...Object.fromEntries(given.map(([name, value]) => [`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`, value])),
    ...Object.fromEntries(Object.entries(state).map(([name, value]) => [`STATE_${name}`, value])),
    ...environment,
  };
}

function spawnDoor(
  place: Place,
  script: string,
  env: NodeJS.ProcessEnv,
  onLine: RunnerOptions['onLine'],
): Promise<{ exitCode: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(place.node, [script], { cwd: place.workspace, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const said = { stdout: '', stderr: '' };
    let partial = '';
    const kill = (signal: NodeJS.Signals): void => {
      child.kill(signal);
    };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said.stdout += text;
      const lines = (partial + text).split('\n');
      partial = lines.pop() ?? '';
      for (const line of lines) onLine?.(line, kill);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text));
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`${script} did not end within ${DEADLINE_MS / 1000} s:\n${said.stdout}${said.stderr}`));
    }, DEADLINE_MS);
    child.on('error', reject);
    child.on('close', (exitCode) => {
      clearTimeout(timer);
      resolve({ exitCode, ...said });
    });
  });
}

/**
 * `name=value`, or `name<<DELIMITER`, lines, `DELIMITER`.
 * @throws Error where the runner refuses the file, and with it the step
 */
export function parseFileCommands(text: string): Readonly<Record<string, string>> {
  const values: Record<string, string> = {};
  const lines = text.split(/\r?\n/);
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    if (line === '') continue;
    const heredoc = /^([^=]+?)<<(.+)$/.exec(line);
    const [, name = '', delimiter = ''] = heredoc ?? /^([^=]+)=/.exec(line) ?? [];
    if (name === '') throw new Error(`the runner cannot read "${line}"`);
    if (heredoc === null) {
      values[name] = line.slice(name.length + 1);
      continue;
    }
    const end = lines.indexOf(delimiter, at + 1);
    if (end === -1) throw new Error(`the value of ${name} has no end`);
    values[name] = lines.slice(at + 1, end).join('\n');
    at = end;
  }
  return values;
}

/** `::command key=value::text`, with %25, %0D and %0A for what cannot stand in a line. */
function takeCommands(text: string): Pick<RunnerResult, 'log' | 'masks' | 'annotations'> {
  const log: string[] = [];
  const masks: string[] = [];
  const annotations: Annotation[] = [];
  for (const line of text.split('\n')) {
    const [, command = '', value = ''] = /^::([\w-]+)(?: [^:]*)?::(.*)$/.exec(line) ?? [];
    const plain = value.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%');
    if (command === 'add-mask') masks.push(plain);
    else if (command === 'error' || command === 'warning' || command === 'notice') {
      annotations.push({ level: command, text: plain });
      log.push(`${command}: ${plain}`);
    } else if (command !== 'endgroup') log.push(line);
  }
  return { log: log.join('\n'), masks, annotations };
}
