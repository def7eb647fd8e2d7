import type { BackupStore } from '../model/ports/backups.js';
import type { Clock } from '../model/ports/clock.js';
import type { CodeHost } from '../model/ports/code-host.js';
import type { VolumeData } from '../model/ports/data.js';
import type { Edges } from '../model/ports/edge.js';
import type { Compose, Engine } from '../model/ports/engine.js';
import type { IsolatedCompose } from '../model/ports/isolated-compose.js';
import type { IncidentLog } from '../model/ports/incidents.js';
import type { Commands, Disks, DockerService, Listeners } from '../model/ports/host.js';
import type { HeldLock, Ledger, Locks } from '../model/ports/ledger.js';
import type { Journal } from '../operations/journal.js';
import type { Probes } from '../model/ports/probe.js';
import type { MetricsFile } from '../model/ports/metrics.js';
import type { EvidenceStore, Progress, Redactor } from '../model/ports/progress.js';
import type { Routers } from '../model/ports/router.js';
import type { Source } from '../model/ports/source.js';
import type { Traces } from '../model/ports/traces.js';
import type { Invocation, Request } from '../model/request.js';
import type { DeploymentRecord } from './deployment-record.js';
import type { Notifier } from './notifier.js';
import type { Recorder } from './recorder.js';

/** What talks to the world, built once in `wiring.ts` and handed down. */
export interface Adapters {
  readonly clock: Clock;
  readonly engine: Engine;
  readonly compose: Compose;
  readonly isolated: IsolatedCompose;
  readonly source: Source;
  readonly commands: Commands;
  readonly disks: Disks;
  readonly probes: Probes;
  readonly redactor: Redactor;
  readonly evidence: EvidenceStore;
  readonly progress: Progress;
  readonly codeHost: CodeHost;
  readonly incidents: IncidentLog;
  readonly listeners: Listeners;
  readonly dockerService: DockerService;
  readonly routers: Routers;
  readonly edges: Edges;
  readonly data: VolumeData;
  readonly traces: Traces;
  readonly backups: BackupStore;
  readonly metrics: MetricsFile;
  /** The records of one compose project; its name is known only after the compose files are rendered. */
  readonly records: (project: string) => ProjectRecords;
}

export interface ProjectRecords {
  readonly ledger: Ledger;
  readonly journal: Journal;
  readonly locks: Locks;
}

/** One run of one procedure: what was asked, by whom, with what, and how to stop it. */
export interface Run extends Adapters {
  readonly request: Request;
  readonly invocation: Invocation;
  readonly recorder: Recorder;
  readonly notifier: Notifier;
  readonly deployment: DeploymentRecord;
  /** Aborts when a person cancels the job or presses Ctrl-C. */
  readonly cancelled: AbortSignal;
}

/** A run that holds the lock of its project, and so may change something. */
export interface LockedRun extends Run, ProjectRecords {
  readonly project: string;
  readonly lock: HeldLock;
  /** Aborts on cancellation and when another run asks this one to yield. */
  readonly signal: AbortSignal;
}
