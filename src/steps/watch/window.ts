import type { OperationOf } from '../../operations/operation.js';
import type { EngineEvent } from '../../model/ports/engine.js';
import type { Severity, WarningSign } from '../../model/policy.js';
import type { ObservedContainer } from '../../model/service.js';
import type { Lifetime } from '../../model/job.js';
import type { Excerpt } from '../../model/errors.js';
import type { Session } from '../session.js';
import { raise, type SignSource } from '../signs.js';

/** What is watched, and since when: shared by every watcher of one service. */
export interface WatchWindow {
  readonly session: Session;
  readonly operation: OperationOf<'watch'>;
  readonly containers: readonly ObservedContainer[];
  /** From when on the log is read: milliseconds since the epoch. */
  readonly sinceMs: number;
  /** When the watch began: milliseconds since the epoch. */
  readonly startedAtMs: number;
  readonly signs: SignSource;
  /** A job may end with exit code 0 while it is watched. */
  readonly lifetime: Lifetime;
  /** Memory of the container that used most before the change, bytes; undefined when nothing ran, or nobody looked. */
  readonly memoryBefore: number | undefined;
}

/** What the watch saw; also when it was cut short. */
export interface Watched {
  readonly startedAtMs: number;
  readonly memoryBytes: number | undefined;
  readonly errorLines: number;
  /** Lines of the log that were read; undefined when none was watched. */
  readonly lines: number | undefined;
}

/**
 * Looks for one kind of warning sign during a watch; one file each, and a line in `watchers.ts`. Every method may throw a
 * WarningSignError, which ends the watch.
 */
export interface Watcher {
  /** What happened between readiness and the beginning of the watch. */
  lookBack?(): Promise<void>;
  /** Streams that are read until the signal aborts, or until they end by themselves. */
  streams?(signal: AbortSignal): readonly Promise<void>[];
  /** An event of one of the watched containers. */
  onEvent?(event: EngineEvent, container: ObservedContainer): Promise<void>;
  /** Once a second. @param elapsedMs milliseconds since the watch began */
  tick?(elapsedMs: number): void;
  atEnd?(): Promise<void> | void;
  /** What it has seen up to now, for the line of progress. */
  words?(): string | undefined;
  /** Its part of what the watch saw. */
  seen?(): Partial<Watched>;
}

export type MakeWatcher = (window: WatchWindow) => Watcher;

/** Records a sign of the watched service and does what `on-warning` says. @throws WarningSignError */
export function raiseSign(
  { session, signs, operation }: WatchWindow,
  sign: WarningSign['sign'],
  severity: Severity,
  message: string,
  excerpt: readonly Excerpt[] = [],
): void {
  raise(session, signs, { sign, severity, service: operation.service, message }, excerpt);
}
