/**
 * Real Compose projects for tests: a fixture (or the sample service) in a git repository of its own, with an origin
 * to push releases to and a live checkout, under a project name and a port that nobody else has.
 */
import { execFile } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { appendFile, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import type { ContainerInspectInfo } from 'dockerode';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const FIXTURES = join(REPOSITORY, 'test/fixtures');
const SAMPLE = join(REPOSITORY, 'examples/roma');
const CHAOS = join(SAMPLE, 'src/chaos.js');

/** Marks what this project's own code leaves on the engine for a Compose project. */
const OUR_LABEL = 'rolling-restart.project';
const COMPOSE_LABEL = 'com.docker.compose.project';

export type Fixture = 'roma' | 'plain' | 'replicas' | 'live-mount' | 'configs' | 'stack' | 'invalid' | 'case';

export interface ProjectOptions {
  fixture: Fixture;
  /** Project name; `rr-` and eight random characters unless given. Lower case, and no other project's beginning. */
  name?: string;
  /** More variables for `.env`. */
  env?: Record<string, string>;
  /** More files for the first commit, by path; they replace what the fixture has. */
  files?: Record<string, string>;
  /** Sample service only: keep `roma-builder` as container and image name. One such project at a time. */
  keepNames?: boolean;
  /** Sample service only: container and image are named after the project in `.env`, so that a commit suits several. */
  namesFromEnv?: boolean;
  /** Instead of a repository of its own, another live checkout of this one's: what a second host has. */
  repositoryOf?: Project;
  /** Fixture `case` only: makes the files, and says where. `makeCase` of `cases.ts` gives it. */
  case?: CaseFiles;
}

export interface CaseFiles {
  /** Writes the files of the first commit. */
  copy(to: string, project: { readonly name: string; readonly port: number }): Promise<void>;
  /** Whether the live directory is a checkout; otherwise a plain folder. Its name is the project's in both. */
  readonly git: boolean;
  /** How many free ports in a row the project gets. */
  readonly ports: number;
}

export interface Release {
  /** Version it reports; the one before stays unless given. */
  version?: string;
  /** What it does wrong on purpose, as in the sample service's `chaos.js`; nothing unless given. */
  chaos?: string;
  /** Fixtures with several services: the only ones that change. All unless given. */
  services?: string[];
  /** Files to write, by path; `null` removes one. */
  files?: Record<string, string | null>;
  message?: string;
}

export interface CommandResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  /** Resolve with a non-zero exit code instead of rejecting. */
  mayFail?: boolean;
  env?: Record<string, string>;
}

export interface Project {
  readonly fixture: Fixture;
  readonly name: string;
  /** Temporary folder that holds everything below. */
  readonly root: string;
  /** The live directory: a checkout of `main` with an untracked `.env`. */
  readonly dir: string;
  /** Path of the bare repository the live directory was cloned from. */
  readonly origin: string;
  /** Port of the host that the fixture publishes, where it publishes one. */
  readonly port: number;
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** Commit the project began with. */
  readonly firstCommit: string;

  /** Pushes a commit to the origin's `main` and resolves with its id. The live directory stays as it is. */
  commitRelease(release: Release): Promise<string>;
  /** Runs git in the live directory and resolves with what it printed, trimmed. */
  git(...args: string[]): Promise<string>;
  /** Moves the live directory to the origin's `main`, as a person would with `git pull`. */
  pull(): Promise<void>;
  /** Changes variables of the live `.env`; `null` removes one. */
  setEnv(changes: Record<string, string | null>): Promise<void>;

  /** `docker compose -p NAME …` in the live directory, without colours. */
  compose(args: string[], options?: CommandOptions): Promise<CommandResult>;
  /** Containers of a service, running or not, in the order of their numbers. */
  containerIds(service: string): Promise<string[]>;
  /** The one container of a service; rejects when there is none or more than one. */
  containerId(service: string): Promise<string>;
  /** What the engine says about the one container of a service. */
  inspect(service: string): Promise<ContainerInspectInfo>;
  /** URL of a container's port over its own network address, published or not (Linux). */
  containerUrl(containerId: string, port?: number): Promise<string>;
  /**
   * GET of a path at `url`, or of a whole URL, over a new connection. Not `fetch`: in Node 20 that never settles when
   * the connection is closed at once, which is what a published port does while its container is not ready.
   */
  get(pathOrUrl: string, timeoutMs?: number): Promise<{ status: number; text: string }>;
  /** Waits until every container of a service is running, and healthy where it has a check. */
  waitUntilHealthy(service: string, timeoutMs?: number): Promise<void>;

  /** Removes the project's containers, networks, volumes, images and folders; nothing of anybody else's. */
  cleanup(): Promise<void>;
}

/** Makes a project. The caller owns it and calls `cleanup()`, also after a failure. */
export async function makeProject(options: ProjectOptions): Promise<Project> {
  const { fixture } = options;
  const name = options.name ?? `rr-${randomBytes(4).toString('hex')}`;
  const root = await mkdtemp(join(tmpdir(), `${name}-`));
  const origin = options.repositoryOf?.origin ?? join(root, 'origin.git');
  const work = join(root, 'work');
  const dir = join(root, options.case === undefined ? 'live' : name);
  const port = await freePort(options.case?.ports);

  const variables: [string, string][] = [
    ['BASE_IMAGE', process.env['ROLLING_RESTART_TEST_BASE_IMAGE'] ?? 'rolling-restart-base:node'],
    ['COMPOSE_PROJECT_NAME', name],
    [fixture === 'roma' ? 'ROMA_PORT' : 'HOST_PORT', String(port)],
  ];
  const env = new Map([...(options.case === undefined ? variables : []), ...Object.entries(options.env ?? {})]);
  const writeEnv = () => writeFile(join(dir, '.env'), [...env].map(([key, value]) => `${key}=${value}\n`).join(''));

  const makeRepository = async () => {
    await git(root, 'init', '--quiet', '--bare', '--initial-branch=main', origin);
    await git(root, 'init', '--quiet', '--initial-branch=main', work);
    await git(work, 'remote', 'add', 'origin', origin);
    await (options.case?.copy(work, { name, port }) ?? copyFixture(fixture, work));
    if (fixture === 'roma' && options.keepNames !== true) {
      await renameSample(work, options.namesFromEnv === true ? '${COMPOSE_PROJECT_NAME}' : name);
    }
    await writeFiles(work, options.files ?? {});
    return push(work, 'First release');
  };
  const firstCommit = options.repositoryOf?.firstCommit ?? (await makeRepository());

  await git(root, 'clone', '--quiet', origin, dir);
  await copyIfThere(join(FIXTURES, fixture, 'untracked'), dir);
  if (options.case?.git === false) await rm(join(dir, '.git'), { recursive: true });
  if (env.size > 0) await writeEnv();

  const compose = (args: string[], { mayFail = false, env: more = {} }: CommandOptions = {}) =>
    run('docker', ['compose', '--ansi', 'never', '-p', name, ...args], {
      cwd: dir,
      mayFail,
      env: { ...withoutProject(env), ...more },
    });

  const containerIds = async (service: string) => {
    const filters = [`label=${COMPOSE_LABEL}=${name}`, `label=com.docker.compose.service=${service}`];
    const ids = await list(['ps', '-aq', '--no-trunc', ...filters.flatMap((filter) => ['--filter', filter])]);
    const containers = await Promise.all(ids.map(inspectContainer));
    const number = (container: ContainerInspectInfo) =>
      Number(container.Config.Labels['com.docker.compose.container-number']);
    return containers.sort((a, b) => number(a) - number(b)).map((container) => container.Id);
  };

  const containerId = async (service: string) => {
    const ids = await containerIds(service);
    const [id] = ids;
    if (id === undefined || ids.length > 1) throw new Error(`${name}: ${service} has ${ids.length} containers`);
    return id;
  };

  return {
    fixture,
    name,
    root,
    dir,
    origin,
    port,
    url: `http://127.0.0.1:${port}`,
    firstCommit,

    async commitRelease(release) {
      if (options.repositoryOf !== undefined) return options.repositoryOf.commitRelease(release);
      if (release.version !== undefined || release.chaos !== undefined) {
        await (fixture === 'roma' ? releaseSample(work, release) : releaseFixture(work, release));
      }
      await writeFiles(work, release.files ?? {});
      return push(work, release.message ?? `Release ${release.version ?? 'again'}`);
    },

    git: (...args) => git(dir, ...args),
    async pull() {
      await git(dir, 'pull', '--quiet', '--ff-only', 'origin', 'main');
    },
    async setEnv(changes) {
      for (const [key, value] of Object.entries(changes)) {
        if (value === null) env.delete(key);
        else env.set(key, value);
      }
      await writeEnv();
    },

    compose,
    containerIds,
    containerId,
    inspect: async (service) => inspectContainer(await containerId(service)),

    async containerUrl(id, containerPort = fixture === 'roma' ? 3000 : 8080) {
      const { NetworkSettings } = await inspectContainer(id);
      const address = Object.values(NetworkSettings.Networks)
        .map((network) => network.IPAddress)
        .find((ip) => ip !== '');
      if (address === undefined) throw new Error(`container ${id} has no address`);
      return `http://${address}:${containerPort}`;
    },

    get: (pathOrUrl, timeoutMs = 10_000) => httpGet(new URL(pathOrUrl, `http://127.0.0.1:${port}`), timeoutMs),

    async waitUntilHealthy(service, timeoutMs = 30_000) {
      const deadline = Date.now() + timeoutMs;
      for (;;) {
        const containers = await Promise.all((await containerIds(service)).map(inspectContainer));
        const states = containers.map(({ State }) => State.Health?.Status ?? State.Status);
        if (states.length > 0 && states.every((state) => state === 'healthy' || state === 'running')) return;
        if (Date.now() > deadline) throw new Error(`${name}: ${service} is ${states.join(', ') || 'not there'}`);
        await sleep(100);
      }
    },

    async cleanup() {
      await compose(['--profile', '*', 'down', '--volumes', '--remove-orphans', '--timeout', '0'], { mayFail: true });
      await removeFromEngine(name);
      await rm(root, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** Copies what is to be committed. */
async function copyFixture(fixture: Fixture, to: string): Promise<void> {
  if (fixture === 'roma') {
    const generated = new Set(['.env', '.roma', 'dist', 'node_modules']);
    await cp(SAMPLE, to, { recursive: true, filter: (source) => !generated.has(basename(source)) });
    return;
  }
  const from = join(FIXTURES, fixture);
  await cp(from, to, { recursive: true, filter: (source) => relative(from, source) !== 'untracked' });
  await cp(join(FIXTURES, 'shared'), join(to, 'app'), { recursive: true });
  await cp(CHAOS, join(to, 'app/chaos.mjs'));
  // Nobody's `.env` shows up in `git status`. Appended, since a fixture may ignore more.
  if (fixture !== 'configs') await appendFile(join(to, '.gitignore'), '/.env\n');
}

async function copyIfThere(from: string, to: string): Promise<void> {
  const names = await readdir(from).catch(() => []);
  for (const name of names) await cp(join(from, name), join(to, name), { recursive: true });
}

/** Gives the sample service names that other tests at the same time do not have. */
async function renameSample(work: string, name: string): Promise<void> {
  await edit(join(work, 'docker-compose.yml'), [
    ['image: roma-builder:latest', `image: rolling-restart/${name}-roma-builder:latest`],
    ['container_name: roma-builder', `container_name: ${name}-roma-builder`],
  ]);
}

async function releaseSample(work: string, { version, chaos = '' }: Release): Promise<void> {
  if (version !== undefined) await edit(join(work, 'package.json'), [[/"version": ".*"/, `"version": "${version}"`]]);
  await edit(join(work, 'src/chaos.js'), [[/RELEASE_CHAOS = '.*'/, `RELEASE_CHAOS = '${chaos}'`]]);
}

async function releaseFixture(work: string, { version, chaos = '', services }: Release): Promise<void> {
  const tracked = (await git(work, 'ls-files')).split('\n');
  const files = tracked.filter(
    (file) => basename(file) === 'release.json' && (services?.includes(basename(dirname(file))) ?? true),
  );
  if (files.length === 0) throw new Error(`no release.json for ${services?.join(', ') ?? 'any service'}`);
  for (const file of files) {
    const before = JSON.parse(await readFile(join(work, file), 'utf8')) as { version: string };
    await writeFile(join(work, file), `${JSON.stringify({ version: version ?? before.version, chaos })}\n`);
  }
}

async function edit(file: string, replacements: [string | RegExp, string][]): Promise<void> {
  let text = await readFile(file, 'utf8');
  for (const [from, to] of replacements) {
    if (text.search(from) === -1) throw new Error(`${file} has no ${String(from)}`);
    text = text.replace(from, () => to);
  }
  await writeFile(file, text);
}

async function writeFiles(work: string, files: Record<string, string | null>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    const file = join(work, path);
    if (content === null) {
      await rm(file);
    } else {
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
    }
  }
}

async function push(work: string, message: string): Promise<string> {
  await git(work, 'add', '--all');
  await git(work, 'commit', '--quiet', '--allow-empty', '--message', message);
  await git(work, 'push', '--quiet', 'origin', 'main');
  return git(work, 'rev-parse', 'HEAD');
}

/** git with an identity of its own, untouched by what the machine or the user has configured. */
async function git(cwd: string, ...args: string[]): Promise<string> {
  const env = {
    ...process.env,
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: 'Test',
    GIT_AUTHOR_EMAIL: 'test@example.com',
    GIT_COMMITTER_NAME: 'Test',
    GIT_COMMITTER_EMAIL: 'test@example.com',
  };
  return (await run('git', args, { cwd, env })).stdout.trim();
}

/** The environment without the variables that would win over the project's `.env`. */
function withoutProject(env: Map<string, string>): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([key]) => !env.has(key) && !/^COMPOSE_(FILE|PROFILES|PROJECT|ENV)/.test(key)),
  );
}

/** The first of some ports nobody listens on, below those the system gives to outgoing connections. */
async function freePort(inARow = 1): Promise<number> {
  const isFree = (port: number) =>
    new Promise<boolean>((resolve) => {
      const server = createServer()
        .once('error', () => resolve(false))
        .listen(port, () => server.close(() => resolve(true)));
    });
  for (;;) {
    const port = randomInt(20_000, 30_000);
    const free = await Promise.all(Array.from({ length: inARow }, (_, index) => isFree(port + index)));
    if (free.every(Boolean)) return port;
  }
}

/** Removes what carries the project's labels or names. The compose file is not asked: it may be broken. */
export async function removeFromEngine(name: string): Promise<void> {
  const labelled = async (...args: string[]) => {
    const found = [OUR_LABEL, COMPOSE_LABEL].map((label) => list([...args, '--filter', `label=${label}=${name}`]));
    return [...new Set((await Promise.all(found)).flat())];
  };
  const remove = async (command: string[], names: string[]) => {
    if (names.length > 0) await run('docker', [...command, ...names], { mayFail: true });
  };

  await remove(['rm', '--force', '--volumes'], await labelled('ps', '-aq'));
  await remove(['volume', 'rm', '--force'], await labelled('volume', 'ls', '-q'));
  await remove(['network', 'rm'], await labelled('network', 'ls', '-q'));

  const tagged = (await list(['images', '--format', '{{.Repository}}:{{.Tag}}'])).filter(
    (image) => image.startsWith(`${name}-`) || image.startsWith(`rolling-restart/${name}-`),
  );
  await remove(['rmi', '--force'], tagged);
  await remove(['rmi', '--force'], await labelled('images', '-q', '--no-trunc'));
}

function httpGet(url: URL, timeoutMs: number): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const options = { agent: false, signal: AbortSignal.timeout(timeoutMs) };
    get(url, options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      response.on('error', reject);
    }).on('error', reject);
  });
}

async function inspectContainer(id: string): Promise<ContainerInspectInfo> {
  const { stdout } = await run('docker', ['inspect', '--type', 'container', id]);
  const [container] = JSON.parse(stdout) as ContainerInspectInfo[];
  if (container === undefined) throw new Error(`no container ${id}`);
  return container;
}

async function list(args: string[]): Promise<string[]> {
  return (await run('docker', args)).stdout.split('\n').filter((line) => line !== '');
}

interface RunOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  mayFail?: boolean;
}

function run(command: string, args: string[], { cwd, env, mayFail = false }: RunOptions = {}): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const options = { cwd, env: env ?? process.env, maxBuffer: 64 * 1024 * 1024, encoding: 'utf8' as const };
    const child = execFile(command, args, options, (error, stdout, stderr) => {
      const exitCode = child.exitCode ?? -1;
      if (error && (!mayFail || child.exitCode === null)) {
        reject(new Error(`${command} ${args.join(' ')}: exit code ${exitCode}\n${stdout}${stderr || error.message}`));
      } else {
        resolve({ exitCode, stdout, stderr });
      }
    });
  });
}
