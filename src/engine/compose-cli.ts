import { ChildStartError, runChild, type ChildRedactor, type ChildResult } from '../host/child.js';
import { lastLines } from '../host/tail.js';
import { ProcedureError, type ErrorCode } from '../model/errors.js';
import type { Compose, ComposeTarget } from '../model/ports/engine.js';
import { formatDuration } from '../model/units.js';
import { BY_THE_CLI, composeProgram, type Program } from './compose-program.js';

/** Rendering reads files and prints: about 0.1 s (measured); a slow network disk is the reason for more. */
export const QUICK_MS = 60_000;

/** What every way of bringing a service up has in common: nothing is built or pulled once containers get touched. */
export const NOTHING_NEW = ['--no-build', '--pull', 'never'] as const;

export type UpOptions = Parameters<Compose['up']>[0];

export interface CliCall {
  readonly args: readonly string[];
  readonly directory?: string | undefined;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onLine?: ((line: string) => void) | undefined;
  readonly input?: string | undefined;
  readonly outputLimit?: number;
  /** What it is called in errors and in the debug log. */
  readonly title: string;
}

/** The `docker` program with its plugins. Exit codes are results; what they mean is for the caller to say. */
export class DockerCli {
  private compose: Promise<Program> | undefined;

  constructor(
    private readonly environment: Readonly<Record<string, string | undefined>>,
    private readonly debug: (line: string) => void,
    private readonly redactor?: ChildRedactor,
  ) {}

  /** @throws ProcedureError E_ENGINE_UNREACHABLE when there is no CLI; E_COMPOSE_FILE; E_CANCELLED; E_DEADLINE */
  async run(call: CliCall): Promise<ChildResult> {
    const begin = Date.now();
    this.debug(`> docker ${call.args.join(' ')}`);
    const { command, environment } = await this.programOf(call);
    try {
      const result = await runChild({
        command,
        args: call.args,
        title: call.title,
        cwd: call.directory,
        env: {
          ...this.environment,
          ...environment,
          ...ALWAYS,
          ...(call.directory === undefined ? {} : { PWD: call.directory }),
        },
        timeoutMs: call.timeoutMs ?? QUICK_MS,
        signal: call.signal,
        onLine: call.onLine,
        onErrorLine: call.onLine,
        input: call.input,
        outputLimit: call.outputLimit,
        redactor: this.redactor,
      });
      const end = result.exitCode === undefined ? (result.endedBy ?? '') : `exit code ${result.exitCode}`;
      this.debug(`< ${call.title}: ${end} after ${formatDuration(Date.now() - begin)}`);
      return result;
    } catch (error) {
      if (!(error instanceof ChildStartError)) throw error;
      throw cannotStart(error);
    }
  }

  private async programOf({ args }: CliCall): Promise<Program> {
    return args[0] === 'compose' ? (this.compose ??= composeProgram(this.environment)) : BY_THE_CLI;
  }

  /** @returns the output @throws ProcedureError `code` with the CLI's last lines when it fails */
  async demand(call: CliCall & { readonly code: ErrorCode; readonly next: string }): Promise<string> {
    const result = await this.run(call);
    if (result.exitCode === 0) return result.stdout;
    const how = result.exitCode === undefined ? (result.endedBy ?? 'a signal') : `exit code ${result.exitCode}`;
    throw new ProcedureError(call.code, `${call.title} failed (${how}): ${reasonIn(result.stderr)}`, {
      next: call.next,
      excerpt: [{ title: call.title, lines: result.shown }],
    });
  }
}

/**
 * What holds for every call. An attestation gives a fully cached build another id each time on the containerd store.
 * A person's COMPOSE_REMOVE_ORPHANS would take a definition that holds one service for the whole project, and remove
 * all others; without COMPOSE_IGNORE_ORPHANS Compose warns of them.
 */
const ALWAYS = {
  BUILDX_NO_DEFAULT_ATTESTATIONS: '1',
  COMPOSE_REMOVE_ORPHANS: '0',
  COMPOSE_IGNORE_ORPHANS: '1',
} as const;

/**
 * Global arguments of a compose command. Where a target names nothing, Compose looks where a person's shell would have
 * it look: the default files of the directory, COMPOSE_FILE, COMPOSE_PROJECT_NAME, COMPOSE_ENV_FILES, `.env`.
 * Compose 2.24 to 5 know these flags (2.26, 2.40 and 5.6 were tried).
 */
export function composeArgs(target: ComposeTarget): readonly string[] {
  return [
    ...['compose', '--ansi', 'never', '--progress', 'plain'],
    ...(target.projectName === undefined ? [] : ['--project-name', target.projectName]),
    ...['--project-directory', target.directory],
    ...(target.document === undefined ? target.files : ['-']).flatMap((file) => ['--file', file]),
    ...target.envFiles.flatMap((file) => ['--env-file', file]),
  ];
}

/** @returns what such a command reads on its standard input */
export function composeInput({ document }: ComposeTarget): string | undefined {
  return document === undefined ? undefined : JSON.stringify(document);
}

/** @returns the line that says why, without Compose's log decoration */
export function reasonIn(stderr: string): string {
  const lines = lastLines(stderr, 200).filter((line) => !/level=(warning|info|debug)/.test(line));
  return (lines.at(-1) ?? 'it gave no reason').replace(/^(?:Error|error)(?: response from daemon)?: /, '').trim();
}

function cannotStart(error: ChildStartError): ProcedureError {
  if (error.code === 'ENOTDIR') {
    return new ProcedureError('E_COMPOSE_FILE', `There is no compose file: ${error.message}`, {
      next: 'Set the input working-directory to where the compose file is. Nothing was changed.',
      cause: error,
    });
  }
  return new ProcedureError('E_ENGINE_UNREACHABLE', `The Docker CLI cannot be started: ${error.message}`, {
    next: 'Install the Docker CLI and its Compose plugin for the user that runs this. Nothing was changed.',
    cause: error,
  });
}
