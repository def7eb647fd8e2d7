import { getExecOutput } from '@actions/exec';
import { ProcedureError, type ErrorCode } from '../model/errors.js';
import type { Compose, ComposeTarget } from '../model/ports/engine.js';
import type { ComposeProject } from '../model/service.js';
import { formatDuration } from '../model/units.js';
import { ChildStartError, runChild, type ChildResult } from '../host/child.js';
import { childEnvironment, type Environment } from '../host/environment.js';
import { Tail } from '../host/tail.js';
import { parseProject, relocateDocument } from './compose-model.js';
import { withPrivateFile } from './private-file.js';

/** Rendering reads files and prints: a second is long. */
const RENDER_DEADLINE_MS = 60_000;
const SHOWN_LINES = 30;
const SAID_LIMIT = 64 * 1024;
/** What a docker command is called in an error. */
const VERBS: ReadonlySet<string> = new Set(['config', 'build', 'up', 'pull', 'manifest']);

export interface ComposeOptions {
  /** What the CLI gets to see: the same engine as the API client's, the user's credentials and COMPOSE_ variables. */
  readonly environment: Environment;
  readonly debug: (line: string) => void;
}

/** The Docker and Compose CLIs. */
export function createCompose({ environment, debug }: ComposeOptions): Compose {
  const cli = new DockerCli(environment, debug);
  return {
    version: () => composeVersion(environment),
    render: (target) => render(cli, target),
    hashes: (target) => hashes(cli, target),

    async build({ document, directory, service, pullBase, onLine, signal, timeoutMs }) {
      await withPrivateFile(JSON.stringify(document), async (file) => {
        const name = typeof document['name'] === 'string' ? document['name'] : undefined;
        const target: ComposeTarget = { files: [file], directory, projectName: name, envFiles: [] };
        const args = [...compose(target, ['--progress', 'plain']), 'build', ...(pullBase ? ['--pull'] : []), service];
        const result = await cli.run(args, { directory, onLine, signal, timeoutMs, code: 'E_BUILD' });
        cli.requireSuccess(result, 'E_BUILD', `Building ${service} failed`, 'The build says below why; nothing that runs was touched.');
      });
    },

    async up({ target, service, replicas, forceRecreate, onLine, signal, timeoutMs }) {
      const args = [
        ...compose(target, ['--progress', 'plain']),
        'up',
        '--detach',
        '--no-deps',
        '--no-build',
        '--pull',
        'never',
        ...(forceRecreate ? ['--force-recreate'] : []),
        ...(replicas === undefined ? [] : ['--scale', `${service}=${replicas}`]),
        service,
      ];
      const result = await cli.run(args, { directory: target.directory, onLine, signal, timeoutMs, code: 'E_COMPOSE' });
      cli.requireSuccess(result, 'E_COMPOSE', `docker compose up failed for ${service}`, 'Compose says below why.');
    },

    async pull(reference, onLine, signal, timeoutMs) {
      const result = await cli.run(['pull', '--quiet', reference], { onLine, signal, timeoutMs, code: 'E_PULL' });
      cli.requireSuccess(result, 'E_PULL', `Pulling ${reference} failed`, 'Docker says below why; nothing that runs was touched.');
    },

    async registryProblem(reference, timeoutMs) {
      const result = await cli.run(['manifest', 'inspect', '--insecure', reference], { timeoutMs, code: 'E_PULL' }).catch(
        () => undefined,
      );
      if (result === undefined) return `it did not answer within ${formatDuration(timeoutMs)}`;
      if (result.exitCode === 0) return undefined;
      return lastLines(result.stderr).at(-1) ?? 'it refused';
    },
  };
}

async function composeVersion(environment: Environment): Promise<string> {
  const result = await getExecOutput('docker', ['compose', 'version', '--short'], {
    silent: true,
    ignoreReturnCode: true,
    env: definedOnly(environment),
  }).catch((error: unknown) => {
    throw noCompose(error instanceof Error ? error.message : String(error));
  });
  if (result.exitCode !== 0) throw noCompose(result.stderr.trim());
  return result.stdout.trim().replace(/^v/, '');
}

function definedOnly(environment: Environment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

function noCompose(reason: string): ProcedureError {
  return new ProcedureError('E_ENGINE_UNREACHABLE', `docker compose does not work on this host: ${reason.slice(0, 200)}`, {
    next: 'Install the Docker CLI and its Compose plugin for the user that runs this; nothing was changed.',
  });
}

async function render(cli: DockerCli, target: ComposeTarget): Promise<ComposeProject> {
  const result = await cli.run([...compose(target, ['--profile', '*']), 'config', '--format', 'json'], {
    directory: target.directory,
    timeoutMs: RENDER_DEADLINE_MS,
    code: 'E_COMPOSE_FILE',
  });
  if (result.exitCode !== 0) throw composeFileError(target, result.stderr);
  const document = JSON.parse(result.stdout) as unknown;
  const moved = target.relocate;
  return parseProject(moved === undefined ? document : relocateDocument(document, moved.from, moved.to));
}

async function hashes(cli: DockerCli, target: ComposeTarget): Promise<Readonly<Record<string, string>>> {
  const result = await cli.run([...compose(target, ['--profile', '*']), 'config', '--hash', '*'], {
    directory: target.directory,
    timeoutMs: RENDER_DEADLINE_MS,
    code: 'E_COMPOSE_FILE',
  });
  if (result.exitCode !== 0) throw composeFileError(target, result.stderr);
  return Object.fromEntries(
    result.stdout
      .split('\n')
      .flatMap((line) => {
        const [service, hash] = line.trim().split(/\s+/);
        return service === undefined || hash === undefined ? [] : [[service, hash] as const];
      }),
  );
}

function composeFileError(target: ComposeTarget, stderr: string): ProcedureError {
  const lines = lastLines(stderr).filter((line) => !line.includes('level=warning'));
  const missing = /no configuration file provided|no such file or directory/i.test(stderr);
  return new ProcedureError(
    'E_COMPOSE_FILE',
    missing
      ? `There is no compose file: ${target.files.length === 0 ? target.directory : target.files.join(', ')}`
      : `The compose file is not valid: ${lines.at(-1) ?? 'docker compose config refuses it'}`,
    {
      next: missing
        ? 'Set working-directory (and compose-files) to where it is. Nothing was changed.'
        : 'Correct it; docker compose config says the same on the host. Nothing was changed.',
      excerpt: [{ title: 'docker compose config', lines }],
    },
  );
}

/** Global arguments of every compose command. Each path is one argument; nothing goes through a shell. */
function compose(target: ComposeTarget, flags: readonly string[]): readonly string[] {
  return [
    'compose',
    '--ansi',
    'never',
    ...flags,
    ...(target.projectName === undefined ? [] : ['--project-name', target.projectName]),
    '--project-directory',
    target.directory,
    ...target.files.flatMap((file) => ['--file', file]),
    ...target.envFiles.flatMap((file) => ['--env-file', file]),
  ];
}

interface CliResult extends ChildResult {
  /** Last lines of both streams, in the order they came. */
  readonly output: string;
}

interface CliOptions {
  readonly directory?: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  readonly onLine?: (line: string) => void;
  readonly code: ErrorCode;
}

class DockerCli {
  constructor(
    private readonly environment: Environment,
    private readonly debug: (line: string) => void,
  ) {}

  /** @throws ProcedureError E_CANCELLED, E_DEADLINE, or `code` when the CLI cannot be started */
  async run(args: readonly string[], options: CliOptions): Promise<CliResult> {
    const shown = `docker ${args.join(' ')}`;
    this.debug(`> ${shown}`);
    const began = performance.now();
    // As a terminal would show them, stdout and stderr together: Compose writes its reasons to either.
    const said = new Tail(SAID_LIMIT);
    const take = (line: string): void => {
      said.add(`${line}\n`);
      options.onLine?.(line);
    };
    const result = await runChild({
      command: 'docker',
      args,
      title: `docker ${args.find((arg) => VERBS.has(arg)) ?? ''}`,
      cwd: options.directory,
      env: childEnvironment(this.environment, {
        // With an attestation the containerd store gives a fully cached build another id each time.
        BUILDX_NO_DEFAULT_ATTESTATIONS: '1',
        ...(options.directory === undefined ? {} : { PWD: options.directory }),
      }),
      timeoutMs: options.timeoutMs,
      signal: options.signal,
      onLine: take,
      onErrorLine: take,
      outputLimit: Infinity,
    }).catch((error: unknown) => {
      if (!(error instanceof ChildStartError)) throw error;
      throw new ProcedureError(options.code, 'The Docker CLI could not be started', {
        next: 'Install it for the user that runs this, and see that the working directory exists.',
        cause: error,
      });
    });
    this.debug(`< ${shown}: exit ${result.exitCode ?? 'none'} after ${formatDuration(performance.now() - began)}`);
    return { ...result, output: said.text() };
  }

  requireSuccess(result: CliResult, code: ErrorCode, message: string, next: string): void {
    if (result.exitCode === 0) return;
    throw new ProcedureError(code, `${message} (exit code ${result.exitCode ?? 'none'})`, {
      next,
      excerpt: [{ title: 'output', lines: lastLines(result.output) }],
    });
  }
}

function lastLines(output: string): readonly string[] {
  return output
    .trimEnd()
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
    .slice(-SHOWN_LINES);
}
