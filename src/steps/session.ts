import type { Operation, OperationOf } from '../operations/operation.js';
import type { BackupWriter } from '../model/ports/backups.js';
import type { ComposePlace, ComposeTarget, EngineFacts } from '../model/ports/engine.js';
import type { Ledger } from '../model/ports/ledger.js';
import type { Checkout } from '../model/ports/source.js';
import type { ComposeProject } from '../model/service.js';
import type { EventFeed } from '../run/events.js';
import type { LockedRun, Run } from '../run/run.js';
import type { BackupManifest } from '../model/backup.js';
import type { Candidate } from './candidate.js';
import type { TrafficProof } from './traffic-proof.js';

/** The compose project as it lies in the live checkout, before anything is done. */
export interface OpenProject {
  readonly facts: EngineFacts;
  readonly target: ComposeTarget;
  /** What Compose uses for that target: every later use of the project directory is this one. */
  readonly place: ComposePlace;
  readonly live: ComposeProject;
  readonly checkout: Checkout | undefined;
}

/** A run that looks and changes nothing: `check` and every dry run. Takes no lock. */
export interface Viewing extends Run {
  readonly project: string;
  readonly opened: OpenProject;
  readonly ledger: Ledger;
  readonly signal: AbortSignal;
  /** Worktrees of this run, removed at its end. */
  readonly worktrees: { readonly directory: string; readonly path: string }[];
  /** Services of which a plan was found to lose nothing (`requireKept`): only their containers may be made or restarted. */
  readonly kept: Set<string>;
}

/** A run that may change something: it holds the lock and writes every operation down. */
export interface Session extends LockedRun, Viewing {
  readonly ledger: Ledger;
  readonly project: string;
  readonly signal: AbortSignal;
  readonly events: EventFeed;
  /** Requests that are sent while something is changed; undefined in a recovery, which is not judged by them. */
  readonly proof: TrafficProof | undefined;
  /** Journals an operation and carries it out. */
  readonly execute: (operation: Operation, signal: AbortSignal) => Promise<void>;
  /** Operations of this run that have begun, in order. */
  readonly begun: readonly Operation[];
  /** Built or pulled and ready to be rolled out, by service. */
  readonly candidates: Map<string, Candidate>;
  /** What `build-image` builds, by service: too large for a journal, and of no use after this process. */
  readonly builds: Map<string, BuildDocument>;
  /** The services that are being changed: what looks at a service is carried out by its own account. */
  readonly lookers: Map<string, Looker>;
  /** Keeping tags that this run made and that no accepted release needs: taken away at its end. */
  readonly unacceptedTags: Set<string>;
  /** Services that this run has made live. */
  readonly deployed: Set<string>;
  /** Backups that are written and do not count yet, by id. */
  readonly savings: Map<string, Saving>;
  /** Backups that this run took. */
  readonly saved: BackupManifest[];
  /** When a service's data was made to stand still, by the clock's `monotonic`. */
  readonly frozenAt: Map<string, number>;
  /** Commit the live checkout was at when the run began. */
  readonly startCommit: string | undefined;
  /** Commit the live checkout is at now; moves with `move-checkout`. */
  readonly liveCommit: { value: string | undefined };
}

/** A backup between the reading of the data and the moment it counts. */
export interface Saving {
  readonly writer: BackupWriter;
  readonly about: Omit<BackupManifest, 'entries'>;
}

export interface BuildDocument {
  readonly document: Readonly<Record<string, unknown>>;
  readonly directory: string;
}

/** Carries out the operations that look at one service. */
export interface Looker {
  awaitReady(operation: OperationOf<'await-ready'>, signal: AbortSignal): Promise<void>;
  verify(operation: OperationOf<'verify'>, signal: AbortSignal): Promise<void>;
  watch(operation: OperationOf<'watch'>, signal: AbortSignal): Promise<void>;
  capture(operation: OperationOf<'capture-evidence'>, signal: AbortSignal): Promise<void>;
  analyse(operation: OperationOf<'analyse-canary'>, signal: AbortSignal): Promise<void>;
  /** What failed is being undone. */
  readonly goingBack: boolean;
  /** From the beginning of the last replacement to readiness, in milliseconds. */
  restartMs(): number | undefined;
  /** The definition of what is being put in place: a compose document reduced to the service. */
  definition(): Readonly<Record<string, unknown>>;
}
