import { ProcedureError } from '../model/errors.js';
import { runChild, type ChildResult } from '../host/child.js';

/** A local git command takes milliseconds; a checkout of a large tree may take a while. */
const LOCAL_DEADLINE_MS = 2 * 60_000;

export interface GitOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Further configuration, handed over through the environment: it never shows in a process list. */
  readonly configuration?: Readonly<Record<string, string>>;
}

/** git, as arguments in and text out. */
export interface GitCli {
  /** @returns stdout @throws ProcedureError E_SOURCE with git's own words */
  read(directory: string, args: readonly string[], options?: GitOptions): Promise<string>;
  /** Whatever the exit code. @throws ProcedureError when git cannot be started, was cancelled, or took too long */
  attempt(directory: string, args: readonly string[], options?: GitOptions): Promise<ChildResult>;
}

/** @param environment what git children get */
export function createGitCli(environment: Readonly<Record<string, string>>): GitCli {
  const attempt: GitCli['attempt'] = async (directory, args, options = {}) => {
    const result = await runChild({
      command: 'git',
      args: ['-C', directory, ...args],
      environment: gitEnvironment(environment, options.configuration ?? {}),
      timeoutMs: options.timeoutMs ?? LOCAL_DEADLINE_MS,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      outputLimit: 16 * 1024 * 1024,
    }).catch((error: unknown) => {
      throw new ProcedureError('E_SOURCE', 'git could not be started', { next: 'Install git on this host.', cause: error });
    });
    if (result.endedBy === 'abort') {
      throw new ProcedureError('E_CANCELLED', 'git was ended because the run was cancelled', {
        next: 'Start the run again when ready.',
      });
    }
    if (result.endedBy === 'deadline') {
      throw new ProcedureError('E_DEADLINE', `git ${args[0] ?? ''} took too long and was ended`, {
        next: 'Look whether the remote answers and whether the disk is well.',
      });
    }
    return result;
  };
  return {
    attempt,
    async read(directory, args, options) {
      const result = await attempt(directory, args, options);
      if (result.exitCode === 0) return result.stdout;
      throw new ProcedureError('E_SOURCE', `git ${args[0] ?? ''} failed in ${directory}`, {
        next: 'git says below why. Nothing was changed.',
        excerpt: [{ title: `git ${args[0] ?? ''}`, lines: result.stderr.trim().split('\n').slice(-20) }],
      });
    },
  };
}

/**
 * No prompt may hang a job, and messages are read by people of every language in English. `safe.directory` counts only
 * from the command line's scope or a user's own files: a checkout that another user owns is what `working-directory`
 * named, so it is trusted for this command.
 */
function gitEnvironment(
  environment: Readonly<Record<string, string>>,
  configuration: Readonly<Record<string, string>>,
): Record<string, string> {
  const entries = Object.entries({ 'safe.directory': '*', 'advice.detachedHead': 'false', ...configuration });
  const numbered = entries.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ]);
  return {
    ...environment,
    GIT_TERMINAL_PROMPT: '0',
    LC_ALL: 'C',
    GIT_CONFIG_COUNT: String(entries.length),
    ...(Object.fromEntries(numbered) as Record<string, string>),
  };
}
