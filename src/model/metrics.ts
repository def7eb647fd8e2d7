import { isGreen } from './outcome.js';
import type { SloRecord } from './slo-record.js';
import { errorRate, OBJECTIVES, procedureObjectives, proceduresOf } from './slo-report.js';

/** One family of a metrics file: a gauge with its samples. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly samples: readonly MetricSample[];
}

export interface MetricSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const PREFIX = 'rolling_restart_';

/**
 * The last run of each service and procedure as gauges, in base units (seconds, bytes, ratios). Gauges alone: a counter
 * would have to carry on over the end of the period, and its name differs between OpenMetrics and Prometheus' own text.
 * @param services rows of each service, oldest first
 */
export function sloMetrics(
  project: string,
  services: ReadonlyMap<string, readonly SloRecord[]>,
): readonly MetricFamily[] {
  const lasts = [...services].flatMap(([service, records]) =>
    proceduresOf(records).flatMap((procedure) => {
      const record = records.findLast((one) => one.procedure === procedure);
      return record === undefined ? [] : [{ labels: { project, service, procedure }, record }];
    }),
  );
  const last = (name: string, help: string, value: (record: SloRecord) => number | undefined): MetricFamily => ({
    name: `${PREFIX}${name}`,
    help,
    samples: lasts.flatMap(({ labels, record }) => {
      const number = value(record);
      return number === undefined ? [] : [{ labels, value: number }];
    }),
  });
  const families = [
    last('last_run_timestamp_seconds', 'End of the last run.', ({ at }) => Date.parse(at) / 1_000),
    last('last_run_success', '1 when the last run ended green.', ({ outcome }) => (isGreen(outcome) ? 1 : 0)),
    last('duration_seconds', 'Time of the last run without its watch.', ({ timeMs }) => timeMs / 1_000),
    last('downtime_seconds', 'How long nothing served in the last run.', ({ downtimeMs }) => seconds(downtimeMs)),
    last('restart_seconds', 'From the replacement to readiness in the last run.', ({ restartMs }) =>
      seconds(restartMs),
    ),
    last('healthy_seconds', 'From the start to a passed health check in the last run.', ({ healthyMs }) =>
      seconds(healthyMs),
    ),
    last('memory_bytes', 'Memory in use after the last run.', ({ memoryBytes }) => memoryBytes),
    last('error_ratio', 'Share of error lines in the log after the last run.', errorRate),
    runs(project, services),
    objectives(project, services),
  ];
  return families.filter(({ samples }) => samples.length > 0);
}

function runs(project: string, services: ReadonlyMap<string, readonly SloRecord[]>): MetricFamily {
  const samples = [...services].flatMap(([service, records]) => {
    const keys = new Map<string, { readonly procedure: string; readonly outcome: string; count: number }>();
    for (const { procedure, outcome } of records) {
      const entry = keys.get(`${procedure} ${outcome}`) ?? { procedure, outcome, count: 0 };
      entry.count += 1;
      keys.set(`${procedure} ${outcome}`, entry);
    }
    return [...keys.values()].map(({ procedure, outcome, count }) => ({
      labels: { project, service, procedure, outcome },
      value: count,
    }));
  });
  return { name: `${PREFIX}runs`, help: 'Runs of the period by procedure and outcome.', samples };
}

/** What is left of each target: the share of the period's runs that met it. */
function objectives(project: string, services: ReadonlyMap<string, readonly SloRecord[]>): MetricFamily {
  const samples = [...services].flatMap(([service, records]) =>
    [
      ...OBJECTIVES.map((objective) => ({ objective, procedure: 'all' })),
      ...proceduresOf(records).flatMap((procedure) =>
        procedureObjectives(records, procedure).map((objective) => ({ objective, procedure })),
      ),
    ].flatMap(({ objective, procedure }) => {
      const judged = records.flatMap((record) => {
        const value = objective.value(record);
        return value === undefined ? [] : [objective.met(value, record)];
      });
      if (judged.length === 0) return [];
      const labels = { project, service, procedure, objective: objective.id };
      return [{ labels, value: judged.filter((met) => met).length / judged.length }];
    }),
  );
  return { name: `${PREFIX}objective_met_ratio`, help: 'Share of the runs that met a target of the runbook.', samples };
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1_000;
}
