import { ProcedureError } from '../model/errors.js';
import type { CommandResult, Commands } from '../model/ports/host.js';
import type { Redactor } from '../model/ports/progress.js';
import { ChildStartError, runChild } from './child.js';
import { childEnvironment, type Environment } from './environment.js';
import { endLeftProcesses, leftProcesses } from './left-processes.js';
import { lastLines, Tail } from './tail.js';

const KEPT_OUTPUT = 64 * 1024;
const SHOWN_LINES = 20;

/** The command is in a variable: everybody on the host sees arguments, and a command may hold a secret. */
const COMMAND_VARIABLE = 'ROLLING_RESTART_COMMAND';
const RUN_IT = `command_=$${COMMAND_VARIABLE}; unset ${COMMAND_VARIABLE}; eval "$command_"`;

/**
 * The user's own commands, in the shell that a workflow's `run:` with `shell: bash` uses: the first command that fails
 * ends it, in a pipe too.
 * @param environment what commands inherit: the process's own environment unless given
 */
export function createCommands(environment: Environment = process.env, redactor?: Redactor): Commands {
  return {
    async run(options): Promise<CommandResult> {
      const { name, command, directory, timeoutMs, signal, onLine } = options;
      const output = new Tail(KEPT_OUTPUT);
      const take = (line: string): void => {
        output.add(`${line}\n`);
        onLine(line);
      };
      const begin = Date.now();
      const result = await runChild({
        command: 'bash',
        args: ['--noprofile', '--norc', '-eo', 'pipefail', '-c', RUN_IT],
        title: name,
        cwd: directory,
        env: childEnvironment(environment, { ...options.environment, [COMMAND_VARIABLE]: command }),
        redactor,
        timeoutMs,
        signal,
        onLine: take,
        onErrorLine: take,
        outputLimit: 0,
      }).catch((error: unknown) => {
        throw withOutput(startProblem(error, name), output);
      });
      if (result.exitCode === 0) return { durationMs: Date.now() - begin, output: output.text() };
      throw withOutput(failure(name, command, result), output);
    },
    left: async (run) =>
      (await leftProcesses(run)).map((one) => ({ ...one, command: redactor?.commandLine(one.command) ?? one.command })),
    endLeft: endLeftProcesses,
  };
}

function failure(
  name: string,
  command: string,
  result: { readonly exitCode: number | undefined; readonly endedBy: string | undefined },
): ProcedureError {
  const how =
    result.exitCode === undefined
      ? `was ended by ${result.endedBy ?? 'a signal'}`
      : `ended with exit code ${result.exitCode}`;
  const [first = '', ...rest] = command.trim().split('\n');
  return new ProcedureError('E_COMMAND', `${name} ${how}`, {
    next: `Correct what it says (its last output is shown with this error, if it printed any) and start again. It was: ${first}${rest.length === 0 ? '' : ' …'}`,
  });
}

function startProblem(error: unknown, name: string): unknown {
  if (!(error instanceof ChildStartError)) return error;
  return new ProcedureError('E_COMMAND', `${name} could not be started: ${error.message}`, {
    next: 'Commands need bash, and the working directory has to exist on this host.',
    cause: error,
  });
}

function withOutput(error: unknown, output: Tail): unknown {
  const lines = lastLines(output.text(), SHOWN_LINES);
  if (!(error instanceof ProcedureError) || lines.length === 0) return error;
  return new ProcedureError(error.code, error.message, {
    next: error.next,
    cause: error.cause,
    excerpt: [{ title: 'last output', lines }],
    stuck: error.stuck,
  });
}
