import type { BackupRecord } from '../backup.js';
import type { ErrorCode } from '../errors.js';
import type { MaintenanceRecord } from '../maintenance.js';
import { omit } from '../omit.js';
import type { Release, ReleaseEvent, ReleaseId, ReleaseWithDefinition, ServiceHistory } from '../release.js';
import type { Invocation } from '../request.js';
import type { SloRecord } from '../slo-record.js';

/** Releases of a compose project. Lives on the engine; records are added and never rewritten. */
export interface Ledger {
  history(service: string): Promise<ServiceHistory>;
  services(): Promise<readonly string[]>;
  /** Undefined when the ledger has no such release. */
  definition(id: ReleaseId): Promise<ReleaseWithDefinition | undefined>;
  addRelease(release: ReleaseWithDefinition): Promise<void>;
  addEvent(event: ReleaseEvent): Promise<void>;
  /** What runs cost a service, oldest first. */
  sloRecords(service: string): Promise<readonly SloRecord[]>;
  addSloRecord(record: SloRecord): Promise<void>;
  /** Backups that were taken of a service and deleted again, oldest first; they lie on the host. */
  backupRecords(service: string): Promise<readonly BackupRecord[]>;
  addBackupRecord(record: BackupRecord): Promise<void>;
  /** What happened in maintenance windows, oldest first. */
  maintenanceRecords(): Promise<readonly MaintenanceRecord[]>;
  addMaintenanceRecord(record: MaintenanceRecord): Promise<void>;
}

/** @returns the release without its definition, as lists and reports use it */
export function withoutDefinition(release: ReleaseWithDefinition): Release {
  return omit(release, 'definition', 'files');
}

/** The operations `O` of one run, each written before its effect, and their plan `P`. */
export interface Journal<P, O> {
  open(record: JournalOpening<P>): Promise<void>;
  begin(run: string, sequence: number, operation: O): Promise<void>;
  /** @param error code of what it failed with */
  end(run: string, sequence: number, result: 'done' | 'failed', error?: ErrorCode): Promise<void>;
  /**
   * For an end that decides nothing: written in the background, before anything else of the run is, and a failure of it
   * is told then.
   */
  endSoon(run: string, sequence: number): void;
  /** How the run as a whole ended; after it there is nothing to recover. */
  close(run: string, outcome: string): Promise<void>;
  read(run: string): Promise<JournalRecord<P, O> | undefined>;
}

export interface JournalOpening<P> {
  readonly run: string;
  readonly at: string;
  readonly procedure: string;
  readonly invocation: Invocation;
  readonly workingDirectory: string;
  readonly plan: P;
  /** Where the forge has a record of the run: whoever recovers it ends that too. */
  readonly environment?: string | undefined;
}

export interface JournalRecord<P, O> {
  readonly opening: JournalOpening<P>;
  readonly entries: readonly {
    readonly sequence: number;
    readonly operation: O;
    readonly result: 'begun' | 'done' | 'failed';
    /** Code of what it failed with; undefined in older journals, which did not say it. */
    readonly error?: string | undefined;
  }[];
  readonly outcome: string | undefined;
}

/** Who holds a lock, as shown to a person. */
export interface LockOwner {
  readonly run: string;
  readonly procedure: string;
  readonly actor: string;
  readonly runUrl: string | undefined;
  readonly host: string;
  readonly pid: number;
  readonly since: string;
}

/** One procedure at a time per compose project on an engine. */
export interface Locks {
  /**
   * Takes the lock, waiting for a live owner up to `timeoutMs`; a dead owner's lock is taken over at once.
   * @param options.interrupt asks a live owner to yield and fences it when it has not after `yieldMs`
   * @throws ProcedureError E_LOCKED with the owner
   */
  acquire(options: {
    readonly invocation: Invocation;
    readonly procedure: string;
    readonly timeoutMs: number;
    readonly interrupt: boolean;
    readonly yieldMs: number;
    readonly signal: AbortSignal;
    readonly onWaiting: (owner: LockOwner) => void;
  }): Promise<HeldLock>;
  /** Who holds it now, if anyone alive does. */
  holder(): Promise<(LockOwner & { readonly alive: boolean | undefined; readonly generation: number }) | undefined>;
  /** Unfinished runs that nobody repairs now. The next run that takes the lock repairs them first. */
  left(): Promise<readonly string[]>;
  /**
   * Whether the owner lives, also where its process cannot be seen: its lease is watched then, which takes up to 25 s.
   * @throws ProcedureError E_CANCELLED when the signal aborts
   */
  liveness(signal: AbortSignal): Promise<'free' | 'alive' | 'dead'>;
  /**
   * Asks whoever holds it to end as at a cancellation. Does not wait for it.
   * @returns who was asked; undefined when nobody holds it
   */
  askToYield(reason: string): Promise<(LockOwner & { readonly generation: number }) | undefined>;
  /** Takes a lock away from whoever has it. For a person who knows. @returns the owner it was taken from */
  breakLock(): Promise<LockOwner | undefined>;
}

export interface HeldLock {
  readonly generation: number;
  /** Runs whose owner died holding the lock, or left work, and that nobody has recovered yet, oldest first. */
  readonly abandoned: readonly string[];
  /**
   * To be called before every effect.
   * @throws ProcedureError E_FENCED when another run has taken the lock over
   */
  check(): Promise<void>;
  /** Aborts when someone asks this run to yield. The reason is a ProcedureError: who asks, or E_FENCED. */
  readonly yieldRequested: AbortSignal;
  /** Says that the abandoned runs are dealt with: a later owner need not look at them again. */
  release(): Promise<void>;
  /** Gives the lock back with work left: the next owner gets this run among the abandoned ones, and those of before. */
  leave(): Promise<void>;
  /**
   * Takes the lock itself off the engine, after `body`, during which nothing more is written for it. Whoever waits for it
   * begins with a new one.
   * @throws ProcedureError E_FENCED when another run has taken the lock over; `body` is not called then
   */
  dissolve(body: () => Promise<void>): Promise<void>;
}
