import { isGreen } from './outcome.js';
import { RUNBOOK } from './policy.js';
import type { Finding } from './finding.js';
import type { Chart } from './report.js';
import type { SloRecord } from './slo-record.js';
import { formatDuration, formatSize } from './units.js';

/** One line of the runbook's Restart Performance Targets, over the runs of a period. */
export interface Objective {
  /** The runbook's own name of it. */
  readonly metric: string;
  /** As it is in a name of a metric: `restart_time`. */
  readonly id: string;
  readonly target: string;
  readonly value: (record: SloRecord) => number | undefined;
  readonly met: (value: number, record: SloRecord) => boolean;
  readonly show: (value: number) => string;
}

const { targets } = RUNBOOK;

/** The four rows of the runbook's table, then Time and Downtime in the head of each procedure. */
export const OBJECTIVES: readonly Objective[] = [
  {
    metric: 'Restart time',
    id: 'restart_time',
    target: `<${formatDuration(targets.restartMs)}`,
    value: ({ restartMs }) => restartMs,
    met: (value) => value < targets.restartMs,
    show: formatDuration,
  },
  {
    metric: 'Memory after restart',
    id: 'memory_after_restart',
    target: `<${formatSize(targets.memoryBytes)}`,
    value: ({ memoryBytes }) => memoryBytes,
    met: (value) => value < targets.memoryBytes,
    show: formatSize,
  },
  {
    metric: 'Error rate post-restart',
    id: 'error_rate',
    target: '0%',
    value: errorRate,
    met: (value) => value === 0,
    show: (value) => `${(value * 100).toFixed(value > 0 && value < 0.1 ? 1 : 0)}%`,
  },
  {
    metric: 'Health check pass time',
    id: 'health_check_pass_time',
    target: `<${formatDuration(targets.healthyMs)}`,
    value: ({ healthyMs }) => healthyMs,
    met: (value) => value < targets.healthyMs,
    show: formatDuration,
  },
];

/** @returns share of the log's lines after the restart that were error lines, 0 to 1 */
export function errorRate({ errorLines, logLines }: SloRecord): number | undefined {
  if (errorLines === undefined || logLines === undefined) return undefined;
  return logLines === 0 ? 0 : errorLines / logLines;
}

/** Time and downtime of one procedure; the target is the newest run's. */
export function procedureObjectives(records: readonly SloRecord[], procedure: string): readonly Objective[] {
  const newest = records.findLast((record) => record.procedure === procedure);
  const own = (value: (record: SloRecord) => number | undefined) => (record: SloRecord) =>
    record.procedure === procedure ? value(record) : undefined;
  return [
    {
      metric: `Downtime (${procedure})`,
      id: 'downtime',
      target: downtimeTarget(newest?.targetDowntimeMs),
      value: own(({ downtimeMs }) => downtimeMs),
      met: (value, record) => downtimeMet(value, record.targetDowntimeMs),
      show: formatDuration,
    },
    {
      metric: `Time (${procedure})`,
      id: 'time',
      target: newest?.targetTimeMs === undefined ? 'none' : `<${formatDuration(newest.targetTimeMs)}`,
      value: own(({ timeMs }) => timeMs),
      met: (value, record) => record.targetTimeMs === undefined || value < record.targetTimeMs,
      show: formatDuration,
    },
  ];
}

/** The runbook's "Downtime: None" is nothing, its "Planned" has no bound. */
function downtimeTarget(targetMs: number | undefined): string {
  if (targetMs === undefined) return 'planned';
  return targetMs === 0 ? 'none' : `<${formatDuration(targetMs)}`;
}

/** @returns whether an outage is within a procedure's target */
export function downtimeMet(downtimeMs: number, targetMs: number | undefined): boolean {
  if (targetMs === undefined) return true;
  return targetMs === 0 ? downtimeMs === 0 : downtimeMs < targetMs;
}

/** @returns the procedures of which there are rows, in the order of their names */
export function proceduresOf(records: readonly SloRecord[]): readonly string[] {
  return [...new Set(records.map(({ procedure }) => procedure))].sort();
}

/** The runbook's table of one service: Metric, Target, Actual, Last Measured. */
export function targetsFinding(service: string, records: readonly SloRecord[], period: string): Finding {
  const objectives = [...OBJECTIVES, ...proceduresOf(records).flatMap((name) => procedureObjectives(records, name))];
  return {
    title: `Restart Performance Targets of ${service} (${period})`,
    columns: ['Metric', 'Target', 'Actual', 'Last Measured', 'Met'],
    rows: objectives.map((objective) => objectiveRow(objective, records)),
  };
}

function objectiveRow(objective: Objective, records: readonly SloRecord[]): readonly string[] {
  const measured = records.flatMap((record) => {
    const value = objective.value(record);
    return value === undefined ? [] : [{ value, record }];
  });
  const last = measured.at(-1);
  if (last === undefined) return [objective.metric, objective.target, '-', '-', '-'];
  const values = measured.map(({ value }) => value);
  const met = measured.filter(({ value, record }) => objective.met(value, record)).length;
  const over =
    measured.length === 1
      ? ''
      : ` (median ${objective.show(median(values))}, highest ${objective.show(Math.max(...values))})`;
  return [
    objective.metric,
    objective.target,
    `${objective.show(last.value)}${over}`,
    last.record.at.slice(0, 16).replace('T', ' '),
    `${met} of ${measured.length}`,
  ];
}

/** Longest trend that a table shows; older rows are in the ledger. */
const TREND_ROWS = 30;

/** Every run of a service as numbers, newest last. */
export function trendFinding(service: string, records: readonly SloRecord[]): Finding {
  const shown = <T>(value: T | undefined, show: (value: T) => string): string =>
    value === undefined ? '-' : show(value);
  return {
    title: `Runs of ${service}`,
    columns: ['When', 'Procedure', 'Outcome', 'Downtime', 'Restart', 'Healthy after', 'Memory', 'Error lines', 'Time'],
    rows: records
      .slice(-TREND_ROWS)
      .map((record) => [
        record.at.slice(0, 16).replace('T', ' '),
        record.procedure,
        record.outcome,
        shown(record.downtimeMs, formatDuration),
        shown(record.restartMs, formatDuration),
        shown(record.healthyMs, formatDuration),
        shown(record.memoryBytes, formatSize),
        shown(record.errorLines, String),
        formatDuration(record.timeMs),
      ]),
  };
}

/** How many runs a chart shows side by side. */
const CHART_POINTS = 20;

/** @returns trends as charts; none for what was measured less than twice */
export function trendCharts(service: string, records: readonly SloRecord[]): readonly Chart[] {
  const chart = (title: string, unit: string, value: (record: SloRecord) => number | undefined): readonly Chart[] => {
    const points = records
      .flatMap((record) => {
        const y = value(record);
        return y === undefined ? [] : [{ at: record.at, value: y }];
      })
      .slice(-CHART_POINTS);
    return points.length < 2 ? [] : [{ title: `${title} of ${service}`, unit, points }];
  };
  return [
    ...chart('Downtime', 's', ({ downtimeMs }) => (downtimeMs === undefined ? undefined : downtimeMs / 1_000)),
    ...chart('Restart time', 's', ({ restartMs }) => (restartMs === undefined ? undefined : restartMs / 1_000)),
    ...chart('Memory after restart', 'MB', ({ memoryBytes }) =>
      memoryBytes === undefined ? undefined : memoryBytes / 1e6,
    ),
  ];
}

/** @returns the middle value; of an even number the mean of the two in the middle */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** @returns how many of the runs ended green */
export function greenRuns(records: readonly SloRecord[]): number {
  return records.filter(({ outcome }) => isGreen(outcome)).length;
}
