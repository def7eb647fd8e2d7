import { describe, expect, it } from 'vitest';
import { sloMetrics } from '../../src/model/metrics.js';
import { sloRecord, type SloRecord } from '../../src/model/slo-record.js';
import { downtimeMet, median, targetsFinding, trendCharts, trendFinding } from '../../src/model/slo-report.js';
import { renderChart } from '../../src/report/chart.js';
import { renderMetrics } from '../../src/report/openmetrics.js';

const record = (day: number, more: Partial<SloRecord> = {}): SloRecord => ({
  at: `2026-11-${String(day).padStart(2, '0')}T03:15:00.000Z`,
  run: `r${day}`,
  by: 'octocat via push',
  procedure: 'code-update',
  service: 'roma',
  outcome: 'deployed',
  release: 'A',
  timeMs: 60_000,
  targetTimeMs: 600_000,
  downtimeMs: 1_400,
  targetDowntimeMs: 30_000,
  restartMs: 2_300,
  healthyMs: 900,
  memoryBytes: 212e6,
  errorLines: 0,
  logLines: 40,
  ...more,
});

describe('a row of the record', () => {
  it.each([
    ['config-change', 300_000, 10_000],
    ['code-update', 600_000, 30_000],
    ['health-restart', 120_000, 0],
    ['emergency', 60_000, 30_000],
    ['maintenance', 900_000, undefined],
  ])('has the targets that the runbook gives to %s', (procedure, timeMs, downtimeMs) => {
    const run = { at: '2026-11-24T00:00:00.000Z', run: 'r', by: 'b', procedure, timeMs: 1 };
    const measured = { restartMs: 1, healthyMs: undefined, memoryBytes: undefined, log: { errors: 1, lines: 4 } };
    const row = sloRecord(run, { ...measured, service: 's', outcome: 'deployed', release: 'A', downtimeMs: 2 });
    expect(row).toMatchObject({ targetTimeMs: timeMs, targetDowntimeMs: downtimeMs, errorLines: 1, logLines: 4 });
  });

  it.each([
    [0, 0, true],
    [1, 0, false],
    [9_999, 10_000, true],
    [10_000, 10_000, false],
    [1e9, undefined, true],
  ])('an outage of %d ms against %s ms: %s', (ms, target, met) => {
    expect(downtimeMet(ms, target)).toBe(met);
  });
});

describe('the table of the runbook', () => {
  it('is filled in with the last value, the middle one and the highest, and when it was measured', () => {
    const records = [
      record(1, { restartMs: 31_000 }),
      record(2, { restartMs: 2_000, errorLines: 2 }),
      record(3, { restartMs: 4_000, memoryBytes: undefined }),
    ];
    const { columns, rows, title } = targetsFinding('roma', records, 'last 30 days');
    expect(title).toBe('Restart Performance Targets of roma (last 30 days)');
    expect(columns.slice(0, 4)).toEqual(['Metric', 'Target', 'Actual', 'Last Measured']);
    expect(rows).toEqual([
      ['Restart time', '<30 s', '4 s (median 4 s, highest 31 s)', '2026-11-03 03:15', '2 of 3'],
      ['Memory after restart', '<500 MB', '212 MB (median 212 MB, highest 212 MB)', '2026-11-02 03:15', '2 of 2'],
      ['Error rate post-restart', '0%', '0% (median 0%, highest 5.0%)', '2026-11-03 03:15', '2 of 3'],
      ['Health check pass time', '<10 s', '900 ms (median 900 ms, highest 900 ms)', '2026-11-03 03:15', '3 of 3'],
      ['Downtime (code-update)', '<30 s', '1.4 s (median 1.4 s, highest 1.4 s)', '2026-11-03 03:15', '3 of 3'],
      ['Time (code-update)', '<10 min', '1 min (median 1 min, highest 1 min)', '2026-11-03 03:15', '3 of 3'],
    ]);
  });

  it('has the runbook’s dash where nobody measured', () => {
    const { rows } = targetsFinding('roma', [record(1, { healthyMs: undefined })], 'last day');
    expect(rows.find(([metric]) => metric === 'Health check pass time')).toEqual([
      'Health check pass time',
      '<10 s',
      '-',
      '-',
      '-',
    ]);
  });

  it('keeps procedures apart', () => {
    const records = [record(1), record(2, { procedure: 'health-restart', targetDowntimeMs: 0, targetTimeMs: 120_000 })];
    const { rows } = targetsFinding('roma', records, 'p');
    expect(rows.find(([metric]) => metric === 'Downtime (health-restart)')?.[4]).toBe('0 of 1');
    expect(rows.find(([metric]) => metric === 'Downtime (code-update)')?.[4]).toBe('1 of 1');
  });

  it.each([
    [[], 0],
    [[3], 3],
    [[4, 1], 2.5],
    [[9, 1, 5], 5],
  ])('the middle of %j is %d', (values, middle) => {
    expect(median(values)).toBe(middle);
  });
});

describe('the trend', () => {
  it('is a chart with the numbers beside it', () => {
    const records = [record(1), record(2, { downtimeMs: 2_800 })];
    const charts = trendCharts('roma', records);
    expect(charts.map(({ title }) => title)).toEqual([
      'Downtime of roma',
      'Restart time of roma',
      'Memory after restart of roma',
    ]);
    expect(charts[0]?.points).toEqual([
      { at: records[0]?.at, value: 1.4 },
      { at: records[1]?.at, value: 2.8 },
    ]);
    expect(trendFinding('roma', records).rows).toHaveLength(2);
  });

  it('needs two values', () => {
    expect(trendCharts('roma', [record(1)])).toEqual([]);
  });

  it('is Mermaid that holds nothing a name could break out with', () => {
    const text = renderChart({
      title: 'a "b"\n```',
      unit: 's',
      points: [
        { at: '2026-11-01T00:00:00Z', value: 1.239 },
        { at: '2026-11-01T01:00:00Z', value: 0 },
      ],
    });
    expect(text.split('\n')).toEqual([
      '```mermaid',
      'xychart-beta',
      '  title "a  b     "',
      '  x-axis ["1: 11-01", "2: 11-01"]',
      '  y-axis "s" 0 --> 1.37',
      '  line [1.24, 0]',
      '```',
    ]);
  });
});

describe('the metrics file', () => {
  const services = new Map([
    ['roma', [record(1), record(2, { outcome: 'rolled-back', errorLines: 2 })]],
    ['we"ird\\', [record(3, { memoryBytes: undefined })]],
  ]);
  const text = renderMetrics(sloMetrics('proj', services));

  it('is text that both OpenMetrics and Prometheus read', () => {
    const lines = text.split('\n');
    expect(lines.at(-1)).toBe('');
    expect(lines.at(-2)).toBe('# EOF');
    const label = String.raw`[a-z_]+="(?:[^"\\\n]|\\["\\n])*"`;
    const sample = new RegExp(String.raw`^([a-z_]+)\{${label}(?:,${label})*\} -?\d+(?:\.\d+)?(?:e[+-]?\d+)?$`);
    let family = '';
    const seen = new Set<string>();
    for (const line of lines.slice(0, -2)) {
      const help = /^# HELP ([a-z_]+) \S.*$/.exec(line);
      if (help?.[1] !== undefined) {
        expect(seen.has(help[1]), `${help[1]} once`).toBe(false);
        seen.add((family = help[1]));
      } else if (line.startsWith('#')) expect(line).toBe(`# TYPE ${family} gauge`);
      else expect(sample.exec(line)?.[1], line).toBe(family);
    }
    expect(new Set(lines).size).toBe(lines.length);
  });

  it('says what the last run cost, in seconds, bytes and ratios', () => {
    const labels = 'project="proj",service="roma",procedure="code-update"';
    expect(text).toContain(`rolling_restart_downtime_seconds{${labels}} 1.4\n`);
    expect(text).toContain(`rolling_restart_memory_bytes{${labels}} 212000000\n`);
    expect(text).toContain(`rolling_restart_error_ratio{${labels}} 0.05\n`);
    expect(text).toContain(`rolling_restart_last_run_success{${labels}} 0\n`);
    expect(text).toContain(`rolling_restart_runs{${labels},outcome="deployed"} 1\n`);
    expect(text).toContain(
      'rolling_restart_objective_met_ratio{project="proj",service="roma",procedure="all",objective="error_rate"} 0.5\n',
    );
    expect(text).toContain('service="we\\"ird\\\\"');
  });

  it('is the end mark alone when nothing ran', () => {
    expect(renderMetrics(sloMetrics('proj', new Map()))).toBe('# EOF\n');
  });
});
