import { RUNBOOK, RUNBOOK_PROCEDURES } from './policy.js';
import type { SloRow } from './report.js';
import { formatDuration, formatSize } from './units.js';

/** The runbook's name of the target that tells whether resource use is normal. */
export const MEMORY_METRIC = 'Memory after restart';

/** What was measured of one restart; undefined where nobody looked. */
export interface Measured {
  /** From the beginning of the replacement to readiness, milliseconds. */
  readonly restartMs: number | undefined;
  /** From the container's start to readiness, milliseconds. */
  readonly healthyMs: number | undefined;
  readonly memoryBytes: number | undefined;
  readonly log: { readonly errors: number; readonly lines: number } | undefined;
  /** How long nothing of the service served, milliseconds. */
  readonly downtimeMs: number | undefined;
}

/**
 * The rows of the runbook's Restart Performance Targets, and the downtime that it promises for the procedure; one that
 * was not measured is left out.
 */
export function sloRows(
  procedure: string,
  service: string,
  { restartMs, healthyMs, memoryBytes, log, downtimeMs }: Measured,
): readonly SloRow[] {
  const { targets } = RUNBOOK;
  const promised = RUNBOOK_PROCEDURES[procedure]?.downtime;
  const row = <T>(
    metric: string,
    target: string,
    value: T | undefined,
    show: (value: T) => string,
    met: (value: T) => boolean,
  ): readonly SloRow[] =>
    value === undefined ? [] : [{ service, metric, target, actual: show(value), met: met(value) }];
  return [
    ...row(
      'Restart time',
      `<${formatDuration(targets.restartMs)}`,
      restartMs,
      formatDuration,
      (ms) => ms < targets.restartMs,
    ),
    ...row(
      `Downtime (${procedure})`,
      promised?.words ?? '',
      promised === undefined ? undefined : downtimeMs,
      formatDuration,
      (ms) => ms < (promised?.ms ?? 0) || ms === 0,
    ),
    ...row(
      MEMORY_METRIC,
      `<${formatSize(targets.memoryBytes)}`,
      memoryBytes,
      formatSize,
      (bytes) => bytes < targets.memoryBytes,
    ),
    ...row('Error rate post-restart', '0%', log, describeErrors, ({ errors }) => errors === 0),
    ...row(
      'Health check pass time',
      `<${formatDuration(targets.healthyMs)}`,
      healthyMs,
      formatDuration,
      (ms) => ms < targets.healthyMs,
    ),
  ];
}

function describeErrors({ errors, lines }: { readonly errors: number; readonly lines: number }): string {
  const percent = lines === 0 ? 0 : (errors / lines) * 100;
  return `${percent.toFixed(percent > 0 && percent < 10 ? 1 : 0)}% (${errors} of ${lines} lines)`;
}
