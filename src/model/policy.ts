/** How severe a warning sign of the runbook is, and what follows from it. */
export type Severity = 'high' | 'medium' | 'low';
export type WarningAction = 'rollback' | 'fail' | 'warn';

export const DEFAULT_WARNING_ACTIONS: Readonly<Record<Severity, WarningAction>> = {
  high: 'rollback',
  medium: 'warn',
  low: 'warn',
};

/** The runbook's thresholds (Monitoring During Restart, Warning Signs; Restart Performance Targets). */
export const RUNBOOK = {
  maxMemoryBytes: 1.5e9,
  slowStartMs: 60_000,
  /** Warning Signs: "Memory >1.5GB after 5min". */
  memoryAfterMs: 5 * 60_000,
  /** Performance Check: "Should be <100ms". */
  maxResponseMs: 100,
  watchMs: 5 * 60_000,
  keptReleases: 5,
  targets: { restartMs: 30_000, memoryBytes: 500e6, errorRate: 0, healthyMs: 10_000 },
} as const;

/** What the runbook says that a procedure takes and costs ("Time", "Downtime"). */
export interface ProcedureTarget {
  readonly timeMs: number;
  /** Undefined: the runbook names none, or calls it planned. */
  readonly downtime: { readonly ms: number; readonly words: string } | undefined;
}

/** By name of the procedure (Procedures 1 to 5; Quick Rollback). */
export const RUNBOOK_PROCEDURES: Readonly<Partial<Record<string, ProcedureTarget>>> = {
  'health-restart': { timeMs: 2 * 60_000, downtime: { ms: 0, words: 'none' } },
  'config-change': { timeMs: 5 * 60_000, downtime: { ms: 10_000, words: '<10 s' } },
  'code-update': { timeMs: 10 * 60_000, downtime: { ms: 30_000, words: '<30 s' } },
  emergency: { timeMs: 60_000, downtime: { ms: 30_000, words: '~30 s' } },
  maintenance: { timeMs: 15 * 60_000, downtime: undefined },
  rollback: { timeMs: 5 * 60_000, downtime: undefined },
};

export const DEFAULT_ERROR_PATTERNS: readonly string[] = ['\\b(error|exception|fatal|panic|unhandled)\\b'];

/** A sign that something may be wrong, seen at readiness, verification or during the watch. */
export interface WarningSign {
  readonly sign:
    | 'keeps-restarting'
    | 'exited'
    | 'unhealthy'
    | 'out-of-memory'
    | 'memory'
    | 'error-lines'
    | 'slow-start'
    | 'no-health-check'
    | 'killed-after-grace'
    | 'failed-requests'
    | 'slow-responses'
    | 'memory-rises'
    | 'memory-baseline'
    | 'note';
  readonly severity: Severity;
  readonly service: string;
  readonly message: string;
  /** When it was seen, ISO 8601. */
  readonly at: string;
  readonly action: WarningAction;
}

/** How a canary gets its share. */
export interface CanaryPolicy {
  /** Percent of the requests, rising; the last one is 100. */
  readonly steps: readonly number[];
  /** How long each step is watched before it is judged; milliseconds. */
  readonly pauseMs: number;
  /** What follows when there were too few requests to judge: wait on for as long again, then this. */
  readonly onInconclusive: 'continue' | 'rollback' | 'fail';
  /** Fewer requests at the new containers than this are too few. */
  readonly minRequests: number;
}

export const DEFAULT_CANARY: CanaryPolicy = {
  steps: [10, 50, 100],
  pauseMs: 60_000,
  onInconclusive: 'rollback',
  minRequests: 20,
};

/** Requests may wait this long, and so many of them, while a singleton is replaced. */
export const DEFAULT_HOLD = { maxMs: 30_000, maxQueue: 500 } as const;
