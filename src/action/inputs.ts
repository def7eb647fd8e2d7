import { isAbsolute, join, resolve, sep } from 'node:path';
import { ProcedureError } from '../model/errors.js';
import { parseEnvironmentCheck, type EnvironmentCheck } from '../model/environment-check.js';
import { DEFAULT_WARNING_ACTIONS, RUNBOOK, type Severity, type WarningAction } from '../model/policy.js';
import { STRATEGY_NAMES } from '../model/plan.js';
import { PROCEDURES, ROUTER_CHOICES, type Request, type RollbackTarget } from '../model/request.js';
import { parseReadiness, type ReadinessSignal } from '../model/readiness.js';
import { InputReader, unknownWord, type InputProblem } from './input-reader.js';
import { INPUTS } from './input-table.js';
import { nearest } from './nearest.js';
import { readBackup } from './backup-inputs.js';
import { readGates } from './gate-inputs.js';
import { readCanary } from './canary-inputs.js';
import { readMaintenance } from './maintenance-inputs.js';
import { isWebAddress, readNotifications } from './notify-inputs.js';
import { readRollbackTarget } from './rollback-target.js';
import { readTraffic } from './traffic.js';
import {
  reasonProblem,
  imageReferenceProblem,
  projectNameProblem,
  refProblem,
  repositoryProblem,
  serviceProblem,
} from './shapes.js';

/** What the meaning of inputs depends on besides their text. */
export interface InputContext {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly currentDirectory: string;
  readonly homeDirectory: string;
  /** The path with links followed; undefined when there is no such directory. */
  readonly realDirectory: (path: string) => string | undefined;
}

/**
 * Reads every input, once.
 * @param read the text of an input, '' when it is not given
 * @throws ProcedureError E_INPUT that names all problems and what would be right
 */
export function readRequest(read: (name: string) => string, context: InputContext): Request {
  const input = new InputReader(read);
  refuseUnknownInputs(input, context);

  const services = readServices(input);
  const image = input.checked('image', imageReferenceProblem);
  if (image !== undefined && services.length > 1) {
    input.problem('image', 'is for one service, and `service` names several');
  }
  const versionCommand = input.text('version-command');
  const expectedVersion = input.text('expected-version');
  if (expectedVersion !== undefined && versionCommand === undefined) {
    input.problem('expected-version', 'needs `version-command`, which prints the version to compare');
  }
  const autoRollback = input.flag('auto-rollback');
  const stateDir = readDirectory(input, 'state-dir', context) ?? defaultStateDir(input, context);

  const asked = input.choice('procedure', PROCEDURES);

  const request = {
    procedure: asked,
    services,
    workingDirectory: readWorkingDirectory(input, context),
    composeFiles: input.list('compose-files'),
    projectName: input.checked('project-name', projectNameProblem),
    envFiles: input.list('env-file'),
    profiles: (context.environment['COMPOSE_PROFILES'] ?? '').split(',').flatMap((name) => name.trim() || []),
    strategy: input.choice('strategy', ['auto', ...STRATEGY_NAMES] as const),
    router: input.choice('router', ROUTER_CHOICES),
    drainTimeoutMs: input.duration('drain-timeout') ?? 0,
    ref: input.checked('ref', refProblem),
    allowDowngrade: input.flag('allow-downgrade'),
    pushTo: input.checked('push-to', repositoryProblem),
    image,
    pullBase: input.flag('pull-base'),
    buildCommand: input.text('build-command'),
    releaseCommand: readReleaseCommand(input, services),
    testCommand: input.text('test-command'),
    smokeTest: input.text('smoke-test'),
    verifyEnv: readVerifyEnv(input),
    versionCommand,
    expectedVersion,
    watchMs: input.duration('watch') ?? 0,
    readiness: readReadiness(input),
    readinessTimeoutMs: input.duration('readiness-timeout', 1_000),
    commandTimeoutMs: input.duration('command-timeout', 1_000) ?? 0,
    traffic: readTraffic(input),
    autoRollback,
    rollbackTo: readTarget(input),
    onWarning: readOnWarning(input, autoRollback),
    maxMemoryBytes: input.size('max-memory'),
    memoryAfterMs: input.duration('memory-after') ?? RUNBOOK.memoryAfterMs,
    maxStartupMs: input.duration('max-startup-time', 1_000) ?? RUNBOOK.slowStartMs,
    errorPatterns: readPatterns(input, 'error-patterns'),
    errorIgnore: readPatterns(input, 'error-ignore'),
    maxErrorLines:
      input.text('max-error-lines') === undefined ? undefined : input.count('max-error-lines', 0, 1_000_000),
    maxResponseMs: input.duration('max-response-time', 1) ?? RUNBOOK.maxResponseMs,
    keepReleases: input.count('keep-releases', 1, 100),
    minFreeDiskBytes: input.size('min-free-disk'),
    canary: readCanary(input),
    edgeImage: input.checked('edge-image', imageReferenceProblem) ?? '',
    ...readBackup(input, asked),
    backupDir: readDirectory(input, 'backup-dir', context) ?? join(stateDir, 'backups'),
    withData: input.flag('with-data'),
    dryRun: input.flag('dry-run'),
    stateDir,
    evidenceDir: readDirectory(input, 'evidence-dir', context) ?? join(stateDir, 'evidence'),
    periodMs: input.duration('period', 60_000, LONGEST_PERIOD_MS) ?? 0,
    metricsFile: readMetricsFile(input, context),
    lockTimeoutMs: input.duration('lock-timeout') ?? 0,
    force: input.flag('force'),
    ...readGates(input),
    reason: input.checked('reason', reasonProblem),
    notifications: readNotifications(input),
    maintenance: readMaintenance(input),
    githubToken: input.text('github-token'),
    fetchToken: input.text('fetch-token'),
    revertToken: input.text('revert-token'),
    deployment: readDeployment(input),
  };
  const { procedure, strategy, router, workingDirectory } = request;
  if (
    input.problems.length > 0 ||
    procedure === undefined ||
    strategy === undefined ||
    router === undefined ||
    workingDirectory === undefined
  ) {
    throw inputError(input.problems);
  }
  return { ...request, procedure, strategy, router, workingDirectory };
}

function readDeployment(input: InputReader): Request['deployment'] {
  const environment = input.text('environment');
  const url = input.checked('environment-url', (text) =>
    isWebAddress(text) ? undefined : 'is not an http:// or https:// URL',
  );
  if (url !== undefined && environment === undefined) {
    input.problem('environment-url', 'needs `environment`, whose deployment links to it');
  }
  return { environment, url };
}

/** The runner's way of handing inputs to an action: `INPUT_` and the name in capitals, spaces as underscores. */
export function inputsFromEnvironment(environment: InputContext['environment']): (name: string) => string {
  return (name) => environment[inputVariable(name)] ?? '';
}

function inputVariable(name: string): string {
  return `INPUT_${name.replaceAll(' ', '_').toUpperCase()}`;
}

function inputError(problems: readonly InputProblem[]): ProcedureError {
  const lines = problems.map(({ input, message }) => `${input}: ${message}`);
  const count = lines.length === 1 ? 'One input cannot be used' : `${lines.length} inputs cannot be used`;
  return new ProcedureError('E_INPUT', `${count}:\n${lines.map((line) => `- ${line}`).join('\n')}`, {
    next: 'Correct them, in the `with:` block of the step or as options of the command; docs/inputs.md has them all. Nothing was changed.',
  });
}

/** A misspelt input would be ignored in silence, and the run would do something else than was asked for. */
function refuseUnknownInputs(input: InputReader, { environment }: InputContext): void {
  const known = new Map(INPUTS.map(({ name }) => [inputVariable(name), name]));
  for (const variable of Object.keys(environment).sort()) {
    if (!variable.startsWith('INPUT_') || known.has(variable)) continue;
    const name = variable.slice('INPUT_'.length).toLowerCase();
    const near = nearest(name, [...known.values()]);
    input.problem(name, `there is no such input${near === undefined ? '' : `; did you mean ${near}?`}`);
  }
}

function readServices(input: InputReader): readonly string[] {
  const services = input.list('service');
  for (const service of new Set(services)) {
    const problem = serviceProblem(service);
    if (problem !== undefined) input.problem('service', problem);
    if (services.indexOf(service) !== services.lastIndexOf(service)) {
      input.problem('service', `"${service}" is named twice; each service is treated once`);
    }
  }
  return services;
}

/** Several services would each run it: what each needs stands in the compose file. */
function readReleaseCommand(input: InputReader, services: readonly string[]): string | undefined {
  const command = input.text('release-command');
  if (command !== undefined && services.length !== 1) {
    input.problem(
      'release-command',
      'is for one service, and `service` does not name exactly one; write it into the compose file for each',
    );
  }
  return command;
}

function readTarget(input: InputReader): RollbackTarget {
  const target = readRollbackTarget(input.text('rollback-to') ?? 'previous');
  if ('kind' in target) return target;
  input.problem('rollback-to', target.problem);
  return { kind: 'previous' };
}

function readReadiness(input: InputReader): ReadinessSignal | undefined {
  const text = input.text('readiness');
  const parsed = text === undefined ? undefined : parseReadiness(text);
  if (parsed === undefined || !('problem' in parsed)) return parsed;
  input.problem('readiness', parsed.problem);
  return undefined;
}

function readPatterns(input: InputReader, name: 'error-patterns' | 'error-ignore'): readonly string[] {
  const patterns = input.lines(name);
  for (const pattern of patterns) {
    try {
      new RegExp(pattern, 'i');
    } catch (thrown) {
      input.problem(name, thrown instanceof Error ? thrown.message : String(thrown));
    }
  }
  return patterns;
}

function readVerifyEnv(input: InputReader): readonly EnvironmentCheck[] {
  return input.lines('verify-env').flatMap((line) => {
    const check = parseEnvironmentCheck(line);
    // The value may be a secret: it is not repeated.
    if (check === undefined) {
      input.problem(
        'verify-env',
        `"${line.split('=')[0] ?? ''}" is not the name of a variable; write NAME or NAME=value`,
      );
    }
    return check ?? [];
  });
}

const SEVERITIES = ['high', 'medium', 'low'] as const satisfies readonly Severity[];
const ACTIONS = ['warn', 'fail', 'rollback'] as const satisfies readonly WarningAction[];

/** One word is for medium and low signs; a High sign stays a reason to go back unless it is named. */
function readOnWarning(input: InputReader, autoRollback: boolean): Readonly<Record<Severity, WarningAction>> {
  const actions: Record<Severity, WarningAction> = { ...DEFAULT_WARNING_ACTIONS };
  if (!autoRollback) actions.high = 'fail';
  const take = (severities: readonly Severity[], word: string): void => {
    const action = ACTIONS.find((candidate) => candidate === word);
    if (action === undefined) {
      input.problem('on-warning', unknownWord(word, ACTIONS));
      return;
    }
    if (action === 'rollback' && !autoRollback) {
      input.problem('on-warning', '`rollback` contradicts `auto-rollback: false`; write `fail`');
    }
    for (const severity of severities) actions[severity] = action;
  };
  const named = new Set<string>();
  const parts = input.list('on-warning');
  for (const part of parts) {
    const [left = '', right] = part.split(':').map((word) => word.trim());
    if (right === undefined) {
      if (parts.length > 1) input.problem('on-warning', `"${left}" says no severity; write it like medium: ${left}`);
      else take(['medium', 'low'], left);
      continue;
    }
    const severity = SEVERITIES.find((candidate) => candidate === left);
    if (severity === undefined) input.problem('on-warning', unknownWord(left, SEVERITIES));
    else if (named.has(severity)) input.problem('on-warning', `"${severity}" is named twice`);
    else take([severity], right);
    named.add(left);
  }
  return actions;
}

/** YAML does not expand `~` as a shell does. */
function absolute(path: string, { currentDirectory, homeDirectory }: InputContext): string {
  if (path === '~') return homeDirectory;
  return resolve(currentDirectory, path.startsWith('~/') ? join(homeDirectory, path.slice(2)) : path);
}

function readDirectory(
  input: InputReader,
  name: 'state-dir' | 'evidence-dir' | 'backup-dir',
  context: InputContext,
): string | undefined {
  const text = input.text(name);
  return text === undefined ? undefined : absolute(text, context);
}

/** What the ledger keeps for ever is looked at for ten years at most. */
const LONGEST_PERIOD_MS = 3_660 * 86_400_000;

/** The textfile collector of a node exporter reads nothing whose name ends in anything else. */
function readMetricsFile(input: InputReader, context: InputContext): string | undefined {
  const text = input.checked('metrics-file', (path) =>
    path.endsWith('.prom') ? undefined : `"${path}" does not end in .prom, so a node exporter would not read it`,
  );
  return text === undefined ? undefined : absolute(text, context);
}

/** XDG base directory specification: a relative XDG_STATE_HOME is to be ignored. */
function defaultStateDir(input: InputReader, { environment, homeDirectory }: InputContext): string {
  const configured = environment['XDG_STATE_HOME'];
  const base = configured?.startsWith('/') === true ? configured : join(homeDirectory, '.local', 'state');
  if (!isAbsolute(base)) input.problem('state-dir', 'this user has no home folder (HOME); name a folder to write to');
  return join(base, 'rolling-restart');
}

/**
 * The live checkout may not lie in the runner's workspace: actions/checkout cleans it with `git clean -ffdx`, and `.env`
 * goes with it.
 */
function readWorkingDirectory(input: InputReader, context: InputContext): string | undefined {
  const path = absolute(input.text('working-directory') ?? '.', context);
  const real = context.realDirectory(path);
  if (real === undefined) {
    input.problem('working-directory', `there is no directory ${path} on this host`);
    return undefined;
  }
  const { GITHUB_ACTIONS, GITHUB_WORKSPACE, RUNNER_WORKSPACE } = context.environment;
  if (GITHUB_ACTIONS === undefined || GITHUB_ACTIONS === '') return path;
  for (const workspace of [GITHUB_WORKSPACE, RUNNER_WORKSPACE]) {
    if (workspace === undefined || workspace === '') continue;
    const realWorkspace = context.realDirectory(workspace) ?? resolve(workspace);
    if (real === realWorkspace || real.startsWith(realWorkspace + sep)) {
      input.problem(
        'working-directory',
        `${path} is inside the runner's workspace, where a checkout step removes untracked files such as .env; ` +
          'clone the repository once to a place of its own, such as /srv/roma, and give that path',
      );
      return undefined;
    }
  }
  return path;
}
