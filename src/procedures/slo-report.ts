import { sloMetrics } from '../model/metrics.js';
import type { SloRecord } from '../model/slo-record.js';
import { greenRuns, targetsFinding, trendCharts, trendFinding } from '../model/slo-report.js';
import { formatDuration } from '../model/units.js';
import { requireServices } from '../steps/open-project.js';
import type { Viewing } from '../steps/session.js';
import { ended, type Procedure, type ProcedureResult } from './procedure.js';

/** Runbook, Metrics & SLOs: its table filled in from the ledger, the trend, and a file for a node exporter. */
export const sloReport: Procedure = {
  name: 'slo-report',
  purpose: 'Fills in the table of restart targets from past runs, shows the trend, and writes metrics to a file.',
  interrupts: false,

  async preview(viewing: Viewing): Promise<ProcedureResult> {
    const { request, project, recorder, progress } = viewing;
    const services = await recordedServices(viewing);
    const since = viewing.clock.now() - request.periodMs;
    const period = `last ${formatPeriod(request.periodMs)}`;
    const all = new Map<string, readonly SloRecord[]>();
    for (const service of services) {
      const rows = await viewing.ledger.sloRecords(service);
      const records = rows.filter(({ at }) => Date.parse(at) >= since);
      if (records.length === 0) continue;
      all.set(service, records);
      recorder.findings.push(targetsFinding(service, records, period), trendFinding(service, records));
      recorder.charts.push(...trendCharts(service, records));
    }
    const records = [...all.values()].flat();
    const { metricsFile } = request;
    if (metricsFile !== undefined && !request.dryRun) {
      const families = sloMetrics(project, all);
      // The file is what was asked for: a monitoring that reads an old one must not look well.
      await viewing.metrics.write(metricsFile, families);
      progress.info(`metrics written to ${metricsFile}`);
      recorder.note(`metrics written to ${metricsFile}`);
    }
    const headline =
      records.length === 0
        ? `no run changed anything in the ${period}`
        : `${records.length} changes of ${[...all.keys()].join(', ')} in the ${period}, ${greenRuns(records)} of them green`;
    if (!request.dryRun) await tellForge(viewing, period, headline);
    return ended('completed', `slo-report: ${headline}`);
  },

  perform: undefined,
};

/** The monthly review of the runbook, where everybody sees it: in one issue, when there is a token for it. */
async function tellForge(viewing: Viewing, period: string, headline: string): Promise<void> {
  const { codeHost, invocation, progress, project, recorder, redactor } = viewing;
  const clean = (text: string): string => redactor.text(text);
  const issue = await codeHost.reportReview({
    at: new Date(viewing.clock.now()).toISOString(),
    project,
    host: invocation.host,
    period,
    headline: clean(headline),
    runUrl: invocation.runUrl,
    findings: recorder.findings.map((finding) => ({ ...finding, rows: finding.rows.map((row) => row.map(clean)) })),
  });
  if (issue === undefined) return;
  const words = `${issue.created ? 'opened' : 'brought up to date'}: issue #${issue.number} (${issue.url})`;
  progress.info(words);
  recorder.note(words);
}

/** Services that are named, or all that the ledger has: one that left the compose file has a past as well. */
async function recordedServices(viewing: Viewing): Promise<readonly string[]> {
  const recorded = await viewing.ledger.services();
  const { services } = viewing.request;
  requireServices(services, [...new Set([...recorded, ...Object.keys(viewing.opened.live.services)])]);
  return services.length > 0 ? services : recorded;
}

function formatPeriod(ms: number): string {
  const days = ms / 86_400_000;
  return days >= 1 && Number.isInteger(days) ? `${days} ${days === 1 ? 'day' : 'days'}` : formatDuration(ms);
}
