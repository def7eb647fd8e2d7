/**
 * Every failure a person may meet has a code they can search for, a cause, and a next step.
 * `docs/errors.md` is generated from this table.
 */
export const ERROR_CODES = {
  E_INPUT: 'An input has a value that cannot be used.',
  E_ENGINE_UNREACHABLE: 'No Docker engine answers.',
  E_ENGINE_TOO_OLD: 'The Docker engine or Compose is older than what is supported.',
  E_ENGINE: 'The Docker engine refused or failed a request.',
  E_COMPOSE_FILE: 'There is no compose file, or it is not valid.',
  E_COMPOSE: 'A docker compose command failed.',
  E_SERVICE: 'The compose project has no such service.',
  E_GATE: 'A gate refused before anything was changed.',
  E_PROJECT: 'The compose project is of another folder, or another project has what it would take.',
  E_HOST: "The engine's host does not have the files that the run sees.",
  E_WOULD_LOSE: 'The change would lose something that the service has; nothing was touched.',
  E_SOURCE: 'The git checkout or the wanted commit cannot be used.',
  E_BUILD: 'Building the release failed; nothing that runs was touched.',
  E_PULL: 'Pulling the image failed; nothing that runs was touched.',
  E_PUSH: 'Pushing the image that was built failed; nothing that runs was touched.',
  E_BACKUP: 'A backup is missing, not whole, or of something else.',
  E_DISK_FULL: 'There is no space left to write to.',
  E_COMMAND: 'A command of yours failed.',
  E_REMEDY: 'A remedy that was asked for by name cannot be carried out, or did not help.',
  E_NOT_READY: 'The new release did not become ready.',
  E_VERIFICATION: 'A verification after the change failed.',
  E_WARNING_SIGN: 'A warning sign showed while the release was watched.',
  E_ROLLBACK_TARGET: 'The release to go back to cannot be used.',
  E_BAD_RELEASE: 'This release was rolled back before.',
  E_ROUTER: 'The router of the service does not answer, or does not do what it was told.',
  E_LOCKED: 'Another procedure holds the lock of this compose project.',
  E_FENCED: 'Another run took the lock over; this one stopped before its next effect.',
  E_CANCELLED: 'The run was cancelled.',
  E_DEADLINE: 'Something took longer than its deadline.',
  E_LEDGER: 'The records on the engine cannot be read or written.',
  E_EVIDENCE: 'Evidence could not be captured or written.',
  E_RECOVERY: 'What a killed run left could not be repaired.',
  E_INTERNAL: 'A defect of Rolling Restart itself.',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/**
 * Whether an error that ended a change says something against the release: only then the release is marked bad, and the
 * same is refused from then on. A refusal, an engine that does not answer, a full disk or a cancel say nothing of it.
 */
const BLAMES_RELEASE: Readonly<Record<ErrorCode, boolean>> = {
  E_INPUT: false,
  E_ENGINE_UNREACHABLE: false,
  E_ENGINE_TOO_OLD: false,
  E_ENGINE: false,
  E_COMPOSE_FILE: false,
  E_COMPOSE: false,
  E_SERVICE: false,
  E_GATE: false,
  E_PROJECT: false,
  E_HOST: false,
  E_WOULD_LOSE: false,
  E_SOURCE: false,
  E_BUILD: false,
  E_PULL: false,
  E_PUSH: false,
  E_BACKUP: false,
  E_DISK_FULL: false,
  // A smoke test or another check of the user's own failed.
  E_COMMAND: true,
  E_REMEDY: false,
  E_NOT_READY: true,
  E_VERIFICATION: true,
  E_WARNING_SIGN: true,
  E_ROLLBACK_TARGET: false,
  E_BAD_RELEASE: false,
  E_ROUTER: false,
  E_LOCKED: false,
  E_FENCED: false,
  E_CANCELLED: false,
  E_DEADLINE: false,
  E_LEDGER: false,
  E_EVIDENCE: false,
  E_RECOVERY: false,
  E_INTERNAL: false,
};

/** @param code also one that another version wrote down: an unknown one blames nobody */
export function blamesRelease(code: string): boolean {
  return Object.hasOwn(BLAMES_RELEASE, code) && BLAMES_RELEASE[code as ErrorCode];
}

export interface ErrorDetail {
  /** What the person should do now; always present, always one or two sentences. */
  readonly next: string;
  readonly cause?: unknown;
  /** Last lines of a log, health output, stderr: shown under the message, already bounded. */
  readonly excerpt?: readonly Excerpt[];
  readonly stuck?: StuckProcess | undefined;
}

/** A process of this run that did not come to its end in time, and was ended. */
export interface StuckProcess {
  readonly pid: number;
  /** Its command line, cut short. */
  readonly command: string;
  /** How long it was waited for, in milliseconds. */
  readonly waitedMs: number;
}

/** A titled piece of output that explains a failure. */
export interface Excerpt {
  readonly title: string;
  readonly lines: readonly string[];
}

export class ProcedureError extends Error {
  override readonly name = 'ProcedureError';
  readonly next: string;
  readonly excerpt: readonly Excerpt[];
  readonly stuck: StuckProcess | undefined;

  constructor(
    readonly code: ErrorCode,
    message: string,
    detail: ErrorDetail,
  ) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.next = detail.next;
    this.excerpt = detail.excerpt ?? [];
    this.stuck = detail.stuck;
  }
}

/**
 * The failure that a step makes a result of. A run that lost its lock has no result: its journal stays open, and the run that
 * has the lock now finishes or undoes what is left.
 * @throws ProcedureError E_FENCED
 */
export function failureOf(thrown: unknown): ProcedureError {
  const failure = asProcedureError(thrown);
  if (failure.code === 'E_FENCED') throw failure;
  return failure;
}

/** Wraps whatever was thrown, so that callers handle one type. An AbortError becomes E_CANCELLED. */
export function asProcedureError(thrown: unknown): ProcedureError {
  if (thrown instanceof ProcedureError) return thrown;
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  if (error.name === 'AbortError') {
    return new ProcedureError('E_CANCELLED', 'The run was cancelled', {
      next: 'Start it again when ready.',
      cause: error,
    });
  }
  if ('code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')) {
    return new ProcedureError('E_DISK_FULL', `There is no space left to write to: ${error.message}`, {
      next: 'Make room on that disk, and start again.',
      cause: error,
    });
  }
  return new ProcedureError('E_INTERNAL', error.message, {
    next: 'Please report this with the log of the run.',
    cause: error,
    excerpt: error.stack === undefined ? [] : [{ title: 'stack', lines: error.stack.split('\n').slice(0, 12) }],
  });
}
