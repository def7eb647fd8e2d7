import type { Consistency } from './backup-policy.js';
import type { EnvironmentCheck } from './environment-check.js';
import type { GateSettings } from './gates.js';
import type { MaintenanceSettings } from './maintenance.js';
import type { NotificationSettings } from './notification.js';
import type { PeakWindow } from './peak-hours.js';
import type { StrategyName } from './plan.js';
import type { CanaryPolicy, Severity, WarningAction } from './policy.js';
import { ROUTERS } from './router.js';
import type { ReadinessSignal } from './readiness.js';
import type { RemedyName } from './remedies.js';
import type { TrafficSettings } from './traffic.js';

/** What a person asked for: the inputs, read once, typed, with defaults filled in. The same from a workflow or a shell. */
export interface Request {
  readonly procedure: ProcedureName;
  /** In the order to treat them; empty: all that changed. */
  readonly services: readonly string[];
  /** Absolute. The live checkout. */
  readonly workingDirectory: string;
  readonly composeFiles: readonly string[];
  readonly projectName: string | undefined;
  readonly envFiles: readonly string[];
  readonly strategy: 'auto' | StrategyName;
  /** `auto`: what the compose file's policy says, otherwise what is already there. */
  readonly router: RouterChoice;
  /** How long an old container's requests may go on after it gets no new ones; then they are cut. */
  readonly drainTimeoutMs: number;
  readonly ref: string | undefined;
  /** What is older than what is live may be deployed: as a rollback. */
  readonly allowDowngrade: boolean;
  /** Repository in a registry for what is built, with `{service}` where several services are. */
  readonly pushTo: string | undefined;
  readonly image: string | undefined;
  readonly pullBase: boolean;
  readonly buildCommand: string | undefined;
  /** Runs once in a container of the new release before anything is switched; undefined: what the compose file says. */
  readonly releaseCommand: string | undefined;
  readonly testCommand: string | undefined;
  readonly smokeTest: string | undefined;
  /** Variables that have to be in the changed containers. */
  readonly verifyEnv: readonly EnvironmentCheck[];
  readonly versionCommand: string | undefined;
  readonly expectedVersion: string | undefined;
  readonly watchMs: number;
  /** Undefined: what the compose file's `x-rolling-restart:` says of each service. */
  readonly readiness: ReadinessSignal | undefined;
  /** Undefined: computed from the service's health check. */
  readonly readinessTimeoutMs: number | undefined;
  readonly commandTimeoutMs: number;
  /** Requests that are sent while something is changed; undefined: none. */
  readonly traffic: TrafficSettings | undefined;
  readonly autoRollback: boolean;
  readonly rollbackTo: RollbackTarget;
  readonly onWarning: Readonly<Record<Severity, WarningAction>>;
  readonly maxMemoryBytes: number;
  /** How long after the beginning of the watch memory is judged; a shorter watch judges at its end. Milliseconds. */
  readonly memoryAfterMs: number;
  /** A start that takes longer is a warning sign; milliseconds. */
  readonly maxStartupMs: number;
  /** Regular expressions, matched without regard to case. */
  readonly errorPatterns: readonly string[];
  /** Of the lines that match, those that match one of these are none. */
  readonly errorIgnore: readonly string[];
  /** Error lines in one minute of a watch; more are a flood. Undefined: they are only counted. */
  readonly maxErrorLines: number | undefined;
  /** Milliseconds in which half of the requests to `probe-url` should be answered. */
  readonly maxResponseMs: number;
  readonly keepReleases: number;
  readonly minFreeDiskBytes: number;
  readonly canary: CanaryPolicy;
  /** Image of the managed edge. */
  readonly edgeImage: string;
  /** A backup is taken before anything is changed. */
  readonly backupBefore: boolean;
  /** `latest` or an id; undefined in every procedure but restore. */
  readonly restoreFrom: string | undefined;
  /** Absolute. */
  readonly backupDir: string;
  /** Folders that are mounted from the host, by where the container has them; empty: what the compose file says. */
  readonly backupPaths: readonly string[];
  /** Undefined: what the compose file says, otherwise `pause`. */
  readonly backupConsistency: Consistency | undefined;
  readonly quiesceCommand: string | undefined;
  readonly resumeCommand: string | undefined;
  readonly keepBackups: number;
  /** Undefined: backups do not grow too old. */
  readonly maxBackupAgeMs: number | undefined;
  /** The data of the release that is gone back to comes back with it. */
  readonly withData: boolean;
  readonly dryRun: boolean;
  readonly stateDir: string;
  readonly evidenceDir: string;
  /** How far back slo-report looks. */
  readonly periodMs: number;
  /** Absolute; ends in `.prom`. Where slo-report writes metrics for a node exporter. */
  readonly metricsFile: string | undefined;
  readonly lockTimeoutMs: number;
  readonly force: boolean;
  readonly gates: GateSettings;
  /** What changes more than the service, and may be done. */
  readonly remedies: readonly RemedyName[];
  /** How this host restarts its engine; undefined: as its service manager does. */
  readonly restartDockerCommand: string | undefined;
  readonly peakHours: readonly PeakWindow[];
  readonly activeJobsCommand: string | undefined;
  readonly activeJobsTimeoutMs: number;
  /** The same commit has to have been deployed there. */
  readonly requireEnvironment: string | undefined;
  /** How old the last backup of a service may be before it is changed; undefined: none is asked for. */
  readonly requireBackupMs: number | undefined;
  /** Why, in the words of the person who runs it. */
  readonly reason: string | undefined;
  /** Who is told, of what. */
  readonly notifications: NotificationSettings;
  readonly maintenance: MaintenanceSettings;
  /** A secret. */
  readonly githubToken: string | undefined;
  /** What git fetches with; undefined: `githubToken`. */
  readonly fetchToken: string | undefined;
  /** What a pull request that takes a rolled-back change out is opened with; undefined: none is. */
  readonly revertToken: string | undefined;
  /** Where the forge records the change. */
  readonly deployment: { readonly environment: string | undefined; readonly url: string | undefined };
}

export const PROCEDURES = [
  'check',
  'code-update',
  'rollback',
  'health-restart',
  'config-change',
  'emergency',
  'stop',
  'start',
  'full-restart',
  'maintenance',
  'plan',
  'slo-report',
  'backup',
  'restore',
  'eject',
] as const;
export type ProcedureName = (typeof PROCEDURES)[number];

export const ROUTER_CHOICES = ['auto', ...ROUTERS] as const;
export type RouterChoice = (typeof ROUTER_CHOICES)[number];

/** Prefixes say what is meant; a bare value that could mean two things is refused with the readings it has. */
export type RollbackTarget =
  | { readonly kind: 'previous' }
  | { readonly kind: 'release'; readonly id: string }
  | { readonly kind: 'git'; readonly ref: string }
  | { readonly kind: 'image'; readonly reference: string };

/** Who runs this and where, for the lock, the ledger and the report. Never a secret. */
export interface Invocation {
  /** Unique for a run: names its journal and evidence. */
  readonly runId: string;
  /** A user and what started it: `octocat via push`, `root at shell`. */
  readonly actor: string;
  /** Link to the run on GitHub, when there is one. */
  readonly runUrl: string | undefined;
  /** The commit the workflow runs for. */
  readonly sha: string | undefined;
  /** `refs/heads/main`, `refs/tags/v1.2.3`. */
  readonly ref: string | undefined;
  readonly attempt: number;
  readonly host: string;
}
