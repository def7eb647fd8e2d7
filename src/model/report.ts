import type { ErrorCode, Excerpt } from './errors.js';
import type { OutcomeKind } from './outcome.js';
import type { ShownPlan } from './plan.js';
import type { WarningSign } from './policy.js';
import type { Finding } from './finding.js';
import type { PullRequest } from './ports/code-host.js';
import type { TrafficReport } from './traffic.js';
import type { Invocation, ProcedureName } from './request.js';

/** Everything a report shows. The JSON report is this type; `docs/report.schema.json` describes it. */
export interface RunReport {
  readonly schema: 'rolling-restart/report/v1';
  readonly procedure: ProcedureName;
  readonly project: string;
  readonly dryRun: boolean;
  readonly outcome: OutcomeKind;
  /** One sentence: what was asked for and what is live now. */
  readonly headline: string;
  /** Whether what runs differs from before the run. */
  readonly changed: boolean;
  readonly startedAt: string;
  readonly durationMs: number;
  readonly invocation: Invocation;
  readonly engine: { readonly version: string; readonly compose: string; readonly name: string } | undefined;
  readonly services: readonly ServiceReport[];
  readonly plan: ShownPlan | undefined;
  readonly timeline: readonly TimelineEntry[];
  readonly warnings: readonly WarningSign[];
  readonly checklists: readonly Checklist[];
  readonly slo: readonly SloRow[];
  /** Requests that were sent while something was changed; undefined when none were. */
  readonly traffic: TrafficReport | undefined;
  /** Commits that this run brings: newest first, `hash subject`. */
  readonly commits: readonly string[];
  /** Pull requests that the commit which went live belongs to; empty when nobody could be asked. */
  readonly pullRequests: readonly PullRequest[];
  readonly error: ReportedError | undefined;
  readonly undoError: ReportedError | undefined;
  /** What the person should do now, most useful first. */
  readonly nextSteps: readonly string[];
  readonly evidencePath: string | undefined;
  /** Findings of read-only procedures: one titled table each. */
  readonly findings: readonly Finding[];
  /** What changes over time; the numbers are in a finding as well. */
  readonly charts: readonly Chart[];
}

export interface ReportedError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly next: string;
  readonly excerpt: readonly Excerpt[];
}

export interface ServiceReport {
  readonly service: string;
  readonly outcome: OutcomeKind;
  /** Release that is live after the run. */
  readonly release: string | undefined;
  readonly previousRelease: string | undefined;
  readonly imageDigest: string | undefined;
  readonly commit: string | undefined;
  readonly version: string | undefined;
  readonly downtimeMs: number | undefined;
  readonly readyMs: number | undefined;
  readonly memoryBytes: number | undefined;
  readonly errorLines: number;
  readonly reasons: readonly string[];
}

export interface TimelineEntry {
  readonly at: string;
  readonly durationMs: number | undefined;
  readonly service: string | undefined;
  readonly text: string;
  readonly status: 'done' | 'failed' | 'undone' | 'note';
}

export interface Checklist {
  readonly title: string;
  readonly items: readonly {
    readonly text: string;
    readonly state: 'done' | 'failed' | 'not-asked';
    readonly detail: string | undefined;
  }[];
}

/** A row of the runbook's Restart Performance Targets. */
export interface SloRow {
  readonly service: string;
  readonly metric: string;
  readonly target: string;
  readonly actual: string;
  readonly met: boolean | undefined;
}

/** One line over time. */
export interface Chart {
  readonly title: string;
  readonly unit: string;
  /** Oldest first. */
  readonly points: readonly { readonly at: string; readonly value: number }[];
}
