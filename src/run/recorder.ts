import type { Difference } from '../model/live-state.js';
import type { Clock } from '../model/ports/clock.js';
import type { Plan } from '../operations/plan.js';
import type { PullRequest } from '../model/ports/code-host.js';
import type { WarningSign } from '../model/policy.js';
import type { TrafficReport } from '../model/traffic.js';
import type { Finding } from '../model/finding.js';
import type { Chart, ServiceReport, SloRow, TimelineEntry } from '../model/report.js';
import type { Accounted } from '../model/slo-record.js';

/**
 * Collects what happens during a run, for the report. Facts go in as they are seen; nothing is computed from hopes.
 */
export class Recorder {
  readonly startedAt: Date;
  readonly timeline: TimelineEntry[] = [];
  readonly warnings: WarningSign[] = [];
  readonly services: ServiceReport[] = [];
  readonly slo: SloRow[] = [];
  readonly findings: Finding[] = [];
  readonly charts: Chart[] = [];
  /** What this run cost each service that it changed. */
  readonly accounts: Accounted[] = [];
  /** Services that this run has made live. */
  readonly deployed = new Set<string>();
  /** Services of which this run has marked a release bad. */
  readonly rejected = new Set<string>();
  /** Images that this run has built and pushed, by service, with their digest in the registry. */
  readonly pushed = new Map<string, string>();
  /** Images of the commit that are in the registry for good, by service, whether this run has pushed them or an earlier one. */
  readonly pinned = new Map<string, string>();
  readonly gates: GateResult[] = [];
  readonly captured: string[] = [];
  readonly verified: VerifiedCheck[] = [];
  readonly watched: { readonly service: string; readonly durationMs: number; readonly whole: boolean }[] = [];
  readonly nextSteps: string[] = [];
  commits: readonly string[] = [];
  pullRequests: readonly PullRequest[] = [];
  plan: Plan | undefined;
  traffic: TrafficReport | undefined;
  project = '';
  /** What the messages of this run belong together with, where that is more than the run: a maintenance window. */
  thread: string | undefined;
  engine: { readonly version: string; readonly compose: string; readonly name: string } | undefined;
  /** An operation has begun that may change what runs, or the checkout it runs from. */
  changed = false;
  /** How what is there at the end differs from the beginning, as it was read; undefined when it was not. */
  difference: Difference | undefined;
  /** Something was begun whose effect does not show on the engine: data was replaced, a port was freed. */
  unseen = false;
  rollbackReleasePresent: boolean | undefined;

  constructor(private readonly clock: Clock) {
    this.startedAt = new Date(clock.now());
  }

  /** @param atMs when it happened, milliseconds since the epoch; now unless given */
  note(text: string, service?: string, atMs = this.clock.now()): void {
    this.timeline.push({ at: new Date(atMs).toISOString(), durationMs: undefined, service, text, status: 'note' });
  }

  /** Times a step and keeps how it ended. */
  async step<T>(text: string, service: string | undefined, body: () => Promise<T>): Promise<T> {
    const began = this.clock.monotonic();
    const at = new Date(this.clock.now()).toISOString();
    const keep = (status: TimelineEntry['status']): void => {
      this.timeline.push({ at, durationMs: Math.round(this.clock.monotonic() - began), service, text, status });
    };
    try {
      const value = await body();
      keep('done');
      return value;
    } catch (error) {
      keep('failed');
      throw error;
    }
  }

  warn(sign: WarningSign): void {
    this.warnings.push(sign);
  }

  /** The same sign, grown: it stands where it was first seen. */
  warnAgain(before: WarningSign, sign: WarningSign): void {
    const index = this.warnings.indexOf(before);
    if (index !== -1) this.warnings[index] = sign;
  }
}

export interface GateResult {
  readonly gate: string;
  readonly state: 'passed' | 'warned' | 'refused' | 'forced' | 'off';
  readonly detail: string;
}

export interface VerifiedCheck {
  readonly service: string;
  readonly check: string;
  readonly passed: boolean;
  readonly detail: string;
  readonly durationMs: number;
}
