import { ProcedureError, asProcedureError } from '../model/errors.js';
import { allSucceeded, isProven, type Lifetime } from '../model/job.js';
import type { OperationOf } from '../operations/operation.js';
import { UNKNOWN_CONTENTS, type ReleaseWithDefinition } from '../model/release.js';
import { shortened } from '../model/shortened.js';
import { formatDuration } from '../model/units.js';
import { commandEnvironment, runInContainer, runOnHost } from './commands.js';
import { describeState, explainContainer } from './diagnose.js';
import { hashFiles } from './files.js';
import { countInLogs } from './log-account.js';
import type { IdentifiedContainer } from './candidate.js';
import { identifiedContainers } from './observe.js';
import { hashesOf, releaseOf } from './replace.js';
import { errorLinesSign, raise, type SignSource } from './signs.js';
import type { Session } from './session.js';
import { checkEnvironment } from './verify-environment.js';

/** In the order they are made: what the engine shows first, the user's own commands after it. */
export const CHECKS = [
  'state',
  'identity',
  'environment',
  'version',
  'test-command',
  'smoke-test',
  'probe',
  'error-lines',
] as const;
export type Check = (typeof CHECKS)[number];

/**
 * @param options.ends nothing of the service runs when it is verified: it is a job that has ended, or has zero replicas
 * @returns the checks that apply: commands only where they are given, a version only for what is meant to have it
 */
export function checksFor(
  request: Session['request'],
  options: { readonly ends: boolean; readonly goingBack: boolean; readonly judgesTraffic: boolean },
): readonly Check[] {
  return CHECKS.filter((check) => {
    switch (check) {
      case 'environment':
        // Going back, the variables that were asked for are just those that are not wanted any more.
        return request.verifyEnv.length > 0 && !options.goingBack && !options.ends;
      case 'version':
        return request.versionCommand !== undefined && !options.ends;
      case 'test-command':
        return request.testCommand !== undefined && !options.goingBack && !options.ends;
      case 'smoke-test':
        return request.smokeTest !== undefined && !options.ends;
      case 'probe':
        return options.judgesTraffic && !options.ends;
      case 'state':
      case 'identity':
        return true;
      case 'error-lines':
        return request.errorPatterns.length > 0;
    }
  });
}

/** A job that nobody waits for may have ended by now: then nothing is left to ask. */
const NEEDS_PROCESS: ReadonlySet<Check> = new Set(['environment', 'version', 'test-command', 'smoke-test', 'probe']);

/**
 * Proves that what was wanted is what runs, by reading the engine and by the user's own commands.
 * @throws ProcedureError E_VERIFICATION or E_COMMAND at the first check that fails
 */
export async function verify(
  session: Session,
  operation: OperationOf<'verify'>,
  context: VerifyContext,
  signal: AbortSignal,
): Promise<void> {
  const { service } = operation;
  const all = await identifiedContainers(session.engine, session.project, service);
  const containers = all.filter(({ id }) => operation.except?.includes(id) !== true);
  const release = operation.release === undefined ? undefined : await releaseOf(session, operation.release);
  const ended = allSucceeded(context.lifetime, containers);
  for (const check of CHECKS.filter((one) => operation.checks.includes(one) && !(ended && NEEDS_PROCESS.has(one)))) {
    const began = session.clock.monotonic();
    const keep = (passed: boolean, detail: string): void => {
      const durationMs = Math.round(session.clock.monotonic() - began);
      session.recorder.verified.push({ service, check, passed, detail, durationMs });
      session.progress.info(`  ${passed ? '✓' : '✗'} ${check}: ${detail}`);
    };
    try {
      keep(true, await makeCheck(session, check, { service, containers, release, ...context }, signal));
    } catch (error) {
      keep(false, asProcedureError(error).message);
      throw error;
    }
  }
}

export interface VerifyContext {
  readonly lifetime: Lifetime;
  /** Undefined where their number is not what is judged. */
  readonly replicas: number | undefined;
  readonly sinceMs: number;
  readonly goingBack: boolean;
  readonly signs: SignSource;
  /** What the wanted definition gives the containers. */
  readonly environment: Readonly<Record<string, string | null>>;
  /** Gets what was found in the log since the start. */
  readonly onCounted: (counted: { readonly errors: number; readonly lines: number }) => void;
}

interface Subject extends VerifyContext {
  readonly service: string;
  readonly containers: readonly IdentifiedContainer[];
  readonly release: ReleaseWithDefinition | undefined;
}

async function makeCheck(session: Session, check: Check, subject: Subject, signal: AbortSignal): Promise<string> {
  switch (check) {
    case 'state':
      return checkState(session, subject);
    case 'identity':
      return checkIdentity(session, subject);
    case 'environment':
      return checkEnvironment(session, subject.service, subject.containers, subject.environment);
    case 'version':
      return checkVersion(session, subject);
    case 'test-command':
    case 'smoke-test':
      return checkCommand(session, check, subject, signal);
    case 'probe':
      return checkTraffic(session, subject);
    case 'error-lines':
      return checkErrorLines(session, subject);
  }
}

async function checkState(session: Session, subject: Subject): Promise<string> {
  const { containers, lifetime, service, replicas } = subject;
  if (replicas === 0 && containers.length === 0) return 'no container, as wanted';
  const wrong = replicas === 0 ? undefined : containers.find((container) => !isProven(lifetime, container));
  if (wrong !== undefined) {
    throw new ProcedureError('E_VERIFICATION', `${wrong.name}: ${describeState(wrong)}`, {
      next: 'Its state and last log lines are shown with this error.',
      excerpt: await explainContainer(session, wrong),
    });
  }
  if (containers.length === 0 || (replicas !== undefined && containers.length !== replicas)) {
    throw new ProcedureError(
      'E_VERIFICATION',
      `${containers.length} containers of ${service} exist, ${replicas ?? 'at least 1'} are wanted`,
      {
        next: 'Look at docker compose ps; something else may work on this project.',
      },
    );
  }
  if (allSucceeded(lifetime, containers)) return 'ended with exit code 0';
  return `${containers.length} running, ${healthWords(containers)}`;
}

/** Docker's first check comes after a whole interval; readiness has run it already (`steps/readiness.ts`). */
function healthWords(containers: readonly IdentifiedContainer[]): string {
  const health = new Set(containers.map((container) => container.health));
  if (health.has('none')) return 'without a health check';
  return health.has('starting') ? 'health check passed, not yet confirmed by Docker' : 'healthy';
}

/**
 * The proof behind a green job: image (layers and run configuration), Compose's hash on the containers, and contents of
 * mounted files, all read back. The exit code of `docker compose up` is none: it is 0 with the service down.
 */
async function checkIdentity(session: Session, subject: Subject): Promise<string> {
  const { release, containers, service } = subject;
  if (release === undefined) return 'in place: the same containers';
  const fail = (what: string): never => {
    throw new ProcedureError('E_VERIFICATION', `${service} does not run release ${release.id}: ${what}`, {
      next: 'Someone or something changed it meanwhile; run procedure check to see what is live.',
    });
  };
  const hashes = await hashesOf(session, release);
  for (const container of containers) {
    if (container.fingerprint !== release.image.fingerprint) {
      fail(
        `${container.name} runs image ${container.imageId.slice(0, 19)}, wanted is ${release.image.id.slice(0, 19)}`,
      );
    }
    if (!hashes.has(container.composeHash)) fail(`${container.name} has another configuration hash`);
  }
  if (release.definitionFrom === 'rendered') {
    const top = session.opened.checkout?.topLevel ?? session.request.workingDirectory;
    const roots = { live: top, wanted: top, commit: session.liveCommit.value };
    const files = await hashFiles(Object.keys(release.files), roots, session.source);
    const unknown = Object.keys(release.files).filter((file) => release.files[file] === UNKNOWN_CONTENTS);
    const other = Object.keys(release.files).filter(
      (file) => files[file] !== release.files[file] && !unknown.includes(file),
    );
    const tracked = other.filter((file) => release.files[file]?.startsWith('git:'));
    if (tracked.length > 0) fail(`contents differ: ${tracked.join(', ')}`);
    if (unknown.length > 0) {
      raise(session, subject.signs, {
        sign: 'note',
        severity: 'low',
        service,
        message: `what release ${release.id} had in ${unknown.join(', ')} is unknown: the contents of today are used`,
      });
    }
    if (other.length > 0) {
      raise(session, subject.signs, {
        sign: 'note',
        severity: 'low',
        service,
        message: `git does not track ${other.join(', ')}: the contents of today are mounted, not those of release ${release.id}`,
      });
    }
  }
  if (containers.length === 0) return `release ${release.id} is live without a container`;
  return `release ${release.id}: image, configuration (hash ${release.configHash.slice(7, 19)}) and mounted files are what runs`;
}

async function checkVersion(session: Session, { containers, goingBack }: Subject): Promise<string> {
  const { versionCommand, expectedVersion } = session.request;
  const [container] = containers;
  if (versionCommand === undefined || container === undefined) return 'not asked';
  const output = await runInContainer(session, container, versionCommand);
  // Going back, the version that was expected is just the one that is not wanted any more.
  if (expectedVersion === undefined || goingBack) return output.split('\n').at(-1) ?? '';
  const words = output.split(/[\s"',]+/);
  if (words.includes(expectedVersion) || words.includes(`v${expectedVersion}`)) return expectedVersion;
  throw new ProcedureError(
    'E_VERIFICATION',
    `version-command says "${shortened(output, 200)}", expected is ${expectedVersion}`,
    {
      next: 'Either the wrong code was built, or expected-version is wrong.',
    },
  );
}

async function checkCommand(
  session: Session,
  name: 'test-command' | 'smoke-test',
  subject: Subject,
  signal: AbortSignal,
): Promise<string> {
  const { request, project } = session;
  const command = name === 'smoke-test' ? request.smokeTest : request.testCommand;
  if (command === undefined) return 'not asked';
  const environment = commandEnvironment(project, subject.service, subject.release?.id, subject.containers[0]);
  const result = await runOnHost(session, { name, command, directory: request.workingDirectory, environment }, signal);
  return `passed in ${formatDuration(result.durationMs)}`;
}

async function checkTraffic({ proof }: Session, { service }: Subject): Promise<string> {
  const judged = await proof?.judge(service);
  if (judged === undefined) return 'not asked';
  if (judged.kind === 'not-judged') return `not judged: ${judged.reason}`;
  if (judged.kind === 'passed') return judged.message;
  throw new ProcedureError('E_VERIFICATION', judged.message, {
    next: 'Find out from their times in the timeline which operation they failed in, or allow some with max-failed-requests.',
    excerpt: judged.excerpt,
  });
}

/** Error lines alone do not undo a release unless `on-warning` says so: many services log the word without harm. */
async function checkErrorLines(session: Session, subject: Subject): Promise<string> {
  const counted = await countInLogs(session, subject.containers, { since: subject.sinceMs / 1000 });
  const { errors, lines, samples } = counted;
  subject.onCounted({ errors, lines });
  if (errors > 0) {
    const judged = errorLinesSign(errors, samples[0] ?? '', subject.signs);
    raise(session, subject.signs, { sign: 'error-lines', service: subject.service, ...judged });
  }
  return errors === 0 ? `none in ${lines} lines` : `${errors} in ${lines} lines (a warning)`;
}
