/** A folder of `test/fixtures/cases` as a project, as a person has it, and the shell in it. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { RunReport } from '../../src/model/report.js';
import { killVariables, openShell, wasKilled, type ShellOptions } from './doors.js';
import { EDGE_IMAGE } from './edge.js';
import { BASE_IMAGE, docker } from './engine-containers.js';
import { IMAGE_LABEL, watchInventory } from './inventory.js';
import { makeOwnBase } from './own-image.js';
import { makeProject, removeFromEngine, type CommandResult, type Project } from './project.js';

const CASES = fileURLToPath(new URL('../fixtures/cases', import.meta.url));
const DEADLINE_MS = 180_000;

export interface CaseOptions {
  /** Whether the live directory is a checkout of an origin; a plain folder unless given. */
  readonly git?: boolean;
  /** The live `.env`; none unless given. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface CaseRun {
  readonly exitCode: number | null;
  readonly report: RunReport;
  readonly log: string;
}

/** A project whose live directory is called like the project, which is what Compose calls it then. */
export interface Case extends Project {
  /** The managed edge's image under a name of the project's own, so that its helpers can be told apart. */
  readonly edgeImage: string;
  /** `PROJECT-case-app:2`, with the project's name. */
  image(kind: 'app' | 'vol', version: 1 | 2 | 3): string;
  /** Port `PORT2`, for example, of the case's files. */
  portOf(number: number): number;
  /** Replaces a text in a file of the live directory; rejects when it is not there. */
  edit(file: string, from: string | RegExp, to: string): Promise<void>;
  /** Writes a file of the live directory. */
  write(file: string, text: string): Promise<void>;
  /** Runs a command as a person at the shell, in the live directory unless `cwd` says another. */
  sh(command: string, options?: { readonly cwd?: string; readonly mayFail?: boolean }): Promise<CommandResult>;
  /** Types a procedure into the shell, and waits for its end. */
  run(procedure: string, inputs?: Readonly<Record<string, string>>, options?: ShellOptions): Promise<CaseRun>;
  /**
   * The same, with a dry run before it. Expects that the dry run changes nothing on engine and disk, and that it predicts
   * what the real run does: the same refusal in the same words, or the same operations for the same services. A run that is
   * refused leaves its own records and nothing else.
   */
  predict(
    procedure: string,
    inputs?: Readonly<Record<string, string>>,
    options?: ShellOptions,
  ): Promise<CaseRun & { readonly predicted: CaseRun }>;
  /** Types a procedure that kills itself at a journal record. @returns false when it came to its end before */
  killAt(where: string, procedure: string, inputs?: Readonly<Record<string, string>>): Promise<boolean>;
}

/**
 * @param name of a folder of `test/fixtures/cases`
 * The caller owns the project and calls `cleanup()`, also after a failure.
 */
export async function makeCase(name: string, { git = false, env = {} }: CaseOptions = {}): Promise<Case> {
  const folder = join(CASES, name);
  const project = await makeProject({
    fixture: 'case',
    env,
    case: { git, ports: 9, copy: (to, made) => copyCase(folder, to, made) },
  });
  await makeImages(project.name, await textOf(project.dir));
  const { dir } = project;
  const self: Case = {
    ...project,
    edgeImage: edgeImageOf(project.name),
    image: (kind, version) => `${project.name}-case-${kind}:${version}`,
    portOf: (number) => project.port + number - 1,
    async edit(file, from, to) {
      const text = await readFile(join(dir, file), 'utf8');
      if (text.search(from) === -1) throw new Error(`${file} has no ${String(from)}:\n${text}`);
      await writeFile(
        join(dir, file),
        text.replace(from, () => to),
      );
    },
    async write(file, text) {
      await mkdir(dirname(join(dir, file)), { recursive: true });
      await writeFile(join(dir, file), text);
    },
    sh: (command, { cwd = dir, mayFail = false } = {}) => sh(command, cwd, mayFail),
    run: (procedure, inputs, options) => runCase(project, procedure, inputs, options),
    async predict(procedure, inputs = {}, options) {
      const watch = await watchInventory(project);
      try {
        const predicted = await runCase(project, procedure, { ...inputs, 'dry-run': 'true' }, options);
        expect(await watch.changes(), `the dry run changed something:\n${predicted.log}`).toEqual([]);
        const real = await runCase(project, procedure, inputs, options);
        expect(essence(predicted.report), `the dry run says something else:\n${predicted.log}\n${real.log}`).toEqual(
          essence(real.report),
        );
        if (real.report.outcome === 'refused') {
          const left = (await watch.changes()).filter((line) => !OWN_RECORDS.test(line));
          expect(left, `the refused run changed something:\n${real.log}`).toEqual([]);
        }
        return { ...real, predicted };
      } finally {
        watch.close();
      }
    },
    killAt: (where, procedure, inputs) =>
      wasKilled(openShell(project, procedure, inputs, { environment: killVariables(where) })),
    async cleanup() {
      // Also of projects whose name begins with this one's.
      const label = 'com.docker.compose.project';
      const lists = [
        ['ps', '--all'],
        ['volume', 'ls'],
        ['network', 'ls'],
      ].map((list) => docker(...list, '--format', `{{.Label "${label}"}}`));
      const names = new Set((await Promise.all(lists)).flatMap((text) => text.split('\n')));
      await project.cleanup();
      for (const other of names)
        if (other !== project.name && other.includes(project.name)) await removeFromEngine(other);
      const dangling = await docker(
        'images',
        '--quiet',
        '--no-trunc',
        '--filter',
        `label=${IMAGE_LABEL}=${project.name}`,
      );
      for (const id of new Set(dangling.split('\n'))) if (id !== '') await docker('rmi', '--force', id);
    },
  };
  return self;
}

/** Where every run that has the lock writes, and every emergency. */
const OWN_RECORDS = /^[-+~] (?:(?:container|volume) rolling-restart\.|file state\/incidents\.log)/;

/** What a run is about to do or has done, as far as a dry run can know it. */
function essence({ outcome, error, plan }: RunReport): unknown {
  if (outcome === 'refused') return { refused: error };
  const services = (plan?.services ?? []).map(({ service, strategy, decision, operations }) => [
    service,
    decision.kind,
    ...(decision.kind === 'unchanged' ? [] : [strategy, ...operations.map(({ kind }) => kind)]),
  ]);
  // A dry run takes its worktree without an operation.
  const first = (plan?.preparation ?? []).map(({ kind }) => kind).filter((kind) => kind !== 'add-worktree');
  return { first, services };
}

async function runCase(
  project: Project,
  procedure: string,
  inputs?: Readonly<Record<string, string>>,
  options?: ShellOptions,
): Promise<CaseRun> {
  const door = openShell(project, procedure, inputs, options);
  const timer = setTimeout(() => void door.kill(), DEADLINE_MS);
  const exitCode = await door.ended;
  clearTimeout(timer);
  const log = door.output();
  if (exitCode === null) throw new Error(`${procedure} did not end within ${DEADLINE_MS / 1000} s:\n${log}`);
  if (!door.stdout().startsWith('{')) throw new Error(`${procedure} printed no report:\n${log}`);
  const printed = JSON.parse(door.stdout()) as RunReport | Pick<RunReport, 'outcome' | 'error'>;
  return { exitCode, log, report: { ...withoutProject(procedure), ...printed } };
}

/** A run that was refused before it knew its project reports the outcome and the error only. */
function withoutProject(procedure: string): RunReport {
  return {
    schema: 'rolling-restart/report/v1',
    procedure: procedure as RunReport['procedure'],
    project: '',
    dryRun: false,
    outcome: 'refused',
    headline: '',
    changed: false,
    startedAt: '',
    durationMs: 0,
    invocation: { runId: '', actor: '', runUrl: undefined, sha: undefined, ref: undefined, attempt: 1, host: '' },
    engine: undefined,
    services: [],
    plan: undefined,
    timeline: [],
    warnings: [],
    checklists: [],
    slo: [],
    traffic: undefined,
    commits: [],
    pullRequests: [],
    error: undefined,
    undoError: undefined,
    nextSteps: [],
    evidencePath: undefined,
    findings: [],
    charts: [],
  };
}

async function copyCase(
  from: string,
  to: string,
  { name, port }: { readonly name: string; readonly port: number },
): Promise<void> {
  await cp(from, to, { recursive: true });
  for (const entry of await readdir(to, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const text = await readFile(file, 'utf8');
    await writeFile(
      file,
      text
        .replaceAll('PROJECT', name)
        .replace(/PORT([1-9])\b/g, (_all, number: string) => `${port + Number(number) - 1}`),
    );
  }
  for (const entry of await readdir(to)) {
    if (entry.includes('PROJECT')) await rename(join(to, entry), join(to, entry.replace('PROJECT', name)));
  }
}

const edgeImageOf = (name: string): string => `${name}-edge:haproxy`;

/** Images of the project's own, since tests share an engine and some move tags. Their layers are built once. */
async function makeImages(name: string, text: string): Promise<void> {
  const wanted = (['app', 'vol'] as const).filter((kind) => text.includes(`${name}-case-${kind}:`));
  const folder = await mkdtemp(join(tmpdir(), `${name}-images-`));
  const build = async (kind: 'app' | 'vol', version: string): Promise<void> => {
    const lines = [
      `FROM ${BASE_IMAGE}`,
      'COPY server.cjs /server.cjs',
      `RUN echo ${version} > /version`,
      ...(kind === 'vol' ? ['VOLUME /data'] : []),
      'CMD ["node", "/server.cjs"]',
      `LABEL ${IMAGE_LABEL}=${name}`,
    ];
    const file = join(folder, `Dockerfile.${kind}.${version}`);
    await writeFile(file, `${lines.join('\n')}\n`);
    await docker('build', '--quiet', '--tag', `${name}-case-${kind}:${version}`, '--file', file, folder);
  };
  try {
    await cp(join(CASES, 'server.cjs'), join(folder, 'server.cjs'));
    await Promise.all([
      ...wanted.flatMap((kind) => ['1', '2', '3'].map((version) => build(kind, version))),
      makeOwnBase(`${name}-base:node`, `${IMAGE_LABEL}=${name}`),
      docker('tag', EDGE_IMAGE, edgeImageOf(name)),
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function textOf(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name));
  return (await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name), 'utf8')))).join('\n');
}

function sh(command: string, cwd: string, mayFail: boolean): Promise<CommandResult> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith('COMPOSE_')));
  return new Promise((resolve, reject) => {
    const options = { cwd, env, maxBuffer: 64 * 1024 * 1024, timeout: DEADLINE_MS, encoding: 'utf8' } as const;
    const child = execFile('bash', ['-eo', 'pipefail', '-c', command], options, (error, stdout, stderr) => {
      const exitCode = child.exitCode ?? -1;
      if (error !== null && !mayFail) reject(new Error(`${command}: exit code ${exitCode}\n${stdout}${stderr}`));
      else resolve({ exitCode, stdout, stderr });
    });
  });
}
