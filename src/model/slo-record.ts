import type { OutcomeKind } from './outcome.js';
import { RUNBOOK_PROCEDURES } from './policy.js';
import type { Measured } from './slo.js';

/**
 * What one run that changed a service cost it: a row of the ledger, never rewritten. What was not measured is undefined;
 * targets are those of the runbook at the time, so that an old row is judged by what counted then.
 */
export interface SloRecord {
  /** End of the change, ISO 8601. */
  readonly at: string;
  readonly run: string;
  readonly by: string;
  readonly procedure: string;
  readonly service: string;
  readonly outcome: OutcomeKind;
  /** Release that was live after it. */
  readonly release: string | undefined;
  /** The procedure's own time from its first line to its end, without the watch, in milliseconds. */
  readonly timeMs: number;
  readonly targetTimeMs: number | undefined;
  /** How long nothing of the service served, in milliseconds. */
  readonly downtimeMs: number | undefined;
  readonly targetDowntimeMs: number | undefined;
  readonly restartMs: number | undefined;
  /** From the container's start to a passed health check, in milliseconds. */
  readonly healthyMs: number | undefined;
  readonly memoryBytes: number | undefined;
  readonly errorLines: number | undefined;
  readonly logLines: number | undefined;
}

/** What a run knows of a service at its end. */
export interface Accounted extends Measured {
  readonly service: string;
  readonly outcome: OutcomeKind;
  readonly release: string | undefined;
}

/** @returns the row of one service; the targets come from the runbook */
export function sloRecord(
  run: Pick<SloRecord, 'at' | 'run' | 'by' | 'procedure' | 'timeMs'>,
  { service, outcome, release, downtimeMs, restartMs, healthyMs, memoryBytes, log }: Accounted,
): SloRecord {
  const target = RUNBOOK_PROCEDURES[run.procedure];
  return {
    ...run,
    service,
    outcome,
    release,
    targetTimeMs: target?.timeMs,
    downtimeMs,
    targetDowntimeMs: target?.downtime?.ms,
    restartMs,
    healthyMs,
    memoryBytes,
    errorLines: log?.errors,
    logLines: log?.lines,
  };
}
