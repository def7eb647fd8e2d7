import { ProcedureError } from '../model/errors.js';
import { ChildStartError, runChild, type ChildResult } from '../host/child.js';
import { childEnvironment, type Environment } from '../host/environment.js';
import { lastLines } from '../host/tail.js';
import { askVersion } from '../host/version.js';
import { configuration, hideCredentials, type ConfigPair } from './git-config.js';

/** Local git work: a status, a checkout, a worktree. Large repositories on slow disks take seconds, not minutes. */
export const LOCAL_MS = 5 * 60_000;
/** Network work: a first fetch of a large repository. */
export const NETWORK_MS = 15 * 60_000;

/** The oldest git that reads configuration from GIT_CONFIG_COUNT. */
const OLDEST = [2, 31] as const;

export interface GitCall {
  readonly directory: string;
  readonly args: readonly string[];
  readonly config?: readonly ConfigPair[];
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number;
  /** Written to its standard input. */
  readonly input?: string;
}

/** git as a program: quiet, in English, asking nobody for a password. Secrets go through its environment, never argv. */
export class GitCli {
  readonly #trusted = new Set<string>();
  #checked: Promise<void> | undefined;

  constructor(
    private readonly environment: Environment,
    private readonly debug: (line: string) => void,
  ) {}

  /**
   * Runs git; a non-zero exit code is a result. When git refuses because somebody else owns the checkout ("dubious
   * ownership"), it is run again with exactly the directory that it named as a `safe.directory`: the person who set
   * `working-directory` has vouched for it. git takes that setting from protected configuration only, of which
   * GIT_CONFIG_* is part (git-config(1), safe.directory).
   * @throws ProcedureError E_SOURCE when there is no git; E_CANCELLED, E_DEADLINE
   */
  async run(call: GitCall): Promise<ChildResult> {
    await (this.#checked ??= this.#requireGit());
    for (;;) {
      const result = await this.#once(call);
      const dubious = /detected dubious ownership in repository at '(.+)'/.exec(result.stderr)?.[1];
      if (result.exitCode === 0 || dubious === undefined || this.#trusted.has(dubious)) return result;
      this.#trusted.add(dubious);
    }
  }

  /** @returns what git prints, without the line end @throws ProcedureError E_SOURCE with git's own words */
  async text(call: GitCall, what: string): Promise<string> {
    const result = await this.run(call);
    if (result.exitCode === 0) return result.stdout.replace(/\n$/, '');
    throw gitFailed(what, result);
  }

  /** @returns the same, or undefined when git says no */
  async maybe(call: GitCall): Promise<string | undefined> {
    const result = await this.run(call);
    return result.exitCode === 0 ? result.stdout.replace(/\n$/, '') : undefined;
  }

  async #once(call: GitCall): Promise<ChildResult> {
    const { directory, args, config = [], signal, timeoutMs = LOCAL_MS, input } = call;
    const pairs = [...config, ...[...this.#trusted].map((value) => ({ key: 'safe.directory', value }))];
    const begin = Date.now();
    try {
      const result = await runChild({
        command: 'git',
        args,
        title: `git ${args[0] ?? ''}`,
        cwd: directory,
        env: gitEnvironment(this.environment, pairs),
        timeoutMs,
        signal,
        outputLimit: Infinity,
        ...(input === undefined ? {} : { input }),
      });
      this.debug(`git ${args.join(' ')}: ${result.exitCode ?? result.endedBy ?? ''} after ${Date.now() - begin} ms`);
      return { ...result, stderr: hideCredentials(result.stderr, pairs) };
    } catch (error) {
      if (!(error instanceof ChildStartError)) throw error;
      throw new ProcedureError('E_SOURCE', `git could not be started: ${error.message}`, {
        next: 'The checkout has to be on the host that the runner runs on.',
        cause: error,
      });
    }
  }

  /** Asked once. Too old a git would ignore the token without a word and then fail to log in. */
  async #requireGit(): Promise<void> {
    const answer = await askVersion('git', ['--version'], this.environment);
    const text = 'version' in answer ? answer.version : '';
    const [, major = '0', minor = '0'] = /(\d+)\.(\d+)/.exec(text) ?? [];
    const version = [Number(major), Number(minor)] as const;
    if (version[0] > OLDEST[0] || (version[0] === OLDEST[0] && version[1] >= OLDEST[1])) return;
    this.#checked = undefined;
    const found = 'problem' in answer ? 'There is no git on this host' : `git ${major}.${minor} is too old`;
    throw new ProcedureError('E_SOURCE', `${found}: ${OLDEST.join('.')} or newer is needed`, {
      next: 'Install git on the host of the runner; nothing was changed.',
    });
  }
}

/** @returns an E_SOURCE with what git said */
export function gitFailed(what: string, result: Pick<ChildResult, 'stderr' | 'stdout'>): ProcedureError {
  const lines = lastLines(`${result.stdout}\n${result.stderr}`, 20);
  const fatal = lines.findLast((line) => /^(fatal|error): /.test(line)) ?? lines.at(-1) ?? 'git gave no reason';
  return new ProcedureError('E_SOURCE', `${what}: ${fatal.replace(/^(fatal|error): /, '')}`, {
    next: adviceFor(result.stderr),
    excerpt: lines.length > 1 ? [{ title: 'git', lines }] : [],
  });
}

function adviceFor(stderr: string): string {
  if (/could not read Username|Authentication failed|HTTP 40[13]|error: 40[13]|Repository not found/.test(stderr)) {
    return 'Give an input github-token that may read the repository (permissions: contents: read).';
  }
  if (/Permission denied \(publickey|Host key verification failed/.test(stderr)) {
    return "Give the runner's user an SSH key for the repository, or clone it by https and give github-token.";
  }
  if (/Could not resolve host|unable to access|Connection (refused|timed out)/.test(stderr)) {
    return 'Look whether this host reaches the git server; nothing was changed.';
  }
  return 'Try the same git command by hand in the checkout; nothing was changed.';
}

/** Variables that point git to another repository: a hook or a wrapper may have left them. */
const MISLEADING = new Set(['GIT_DIR', 'GIT_WORK_TREE', 'GIT_INDEX_FILE', 'GIT_COMMON_DIR', 'GIT_PREFIX']);

/** Optional locks are off so that looking does not write the index of a live checkout. */
function gitEnvironment(own: Environment, pairs: readonly ConfigPair[]): NodeJS.ProcessEnv {
  const rest = Object.fromEntries(Object.entries(childEnvironment(own)).filter(([name]) => !MISLEADING.has(name)));
  return {
    ...rest,
    ...configuration(rest, pairs),
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_PAGER: 'cat',
  };
}
