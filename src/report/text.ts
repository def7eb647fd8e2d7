import { isGreen } from '../model/outcome.js';
import { stripControls } from '../model/printable.js';
import type { ReportedError, RunReport, ServiceReport } from '../model/report.js';
import { formatDuration, formatSize, short } from '../model/units.js';
import { trafficLine } from './traffic.js';
import { changedWords, outcomeSign } from './words.js';

const LONGEST_EXCERPT = 40;

/**
 * The end of the log, and what a terminal shows: outcome, what is live, what went wrong, what to do.
 * @param withoutOutcome leaves the first line out, for where an annotation says it
 */
export function renderText(report: RunReport, { withoutOutcome = false } = {}): string {
  const title = report.dryRun ? 'dry run, nothing was changed' : outcomeSign(report.outcome);
  const lines = [
    ...(withoutOutcome ? [] : ['', `${title}: ${report.headline}`]),
    `${report.procedure} took ${formatDuration(report.durationMs)}`,
  ];
  if (!isGreen(report.outcome)) lines.push(changedWords(report));
  lines.push(...errorLines('Error', report.error, report), ...errorLines('Undoing failed', report.undoError, report));
  if (report.services.length > 0)
    lines.push('', 'Services', ...bounded(report.services.map((service) => serviceLine(service, report.dryRun))));
  if (report.warnings.length > 0) {
    lines.push('', 'Warning signs');
    lines.push(
      ...bounded(
        report.warnings.map((sign) => `  ⚠ ${sign.severity}, ${sign.service}: ${sign.message} (${sign.action})`),
      ),
    );
  }
  if (report.traffic !== undefined) lines.push('', 'Traffic', `  ${trafficLine(report.traffic)}`);
  for (const finding of report.findings)
    lines.push('', finding.title, ...bounded(columns([finding.columns, ...finding.rows])));
  if (report.slo.length > 0) {
    lines.push('', 'Targets');
    lines.push(
      ...columns(
        report.slo.map(({ service, metric, target, actual, met }) => [
          met === undefined ? ' ' : met ? '✔' : '✖',
          service,
          metric,
          actual,
          `target ${target}`,
        ]),
      ),
    );
  }
  if (report.nextSteps.length > 0) {
    lines.push('', 'What to do next', ...report.nextSteps.map((step, index) => `  ${index + 1}. ${step}`));
  }
  if (report.evidencePath !== undefined) lines.push('', `Evidence: ${report.evidencePath}`);
  return lines.map(stripControls).join('\n');
}

/** A list of thousands hides what stands before it. */
const LONGEST_LIST = 200;

function bounded(lines: readonly string[]): readonly string[] {
  if (lines.length <= LONGEST_LIST) return lines;
  return [...lines.slice(0, LONGEST_LIST), `  … (cut: the report has ${lines.length - LONGEST_LIST} more lines)`];
}

function serviceLine(service: ServiceReport, dryRun: boolean): string {
  const facts = [
    ...(service.release === undefined ? [] : [`release ${service.release}`]),
    ...(service.version === undefined ? [] : [`version ${service.version}`]),
    ...(service.commit === undefined ? [] : [`commit ${short(service.commit)}`]),
    ...(service.downtimeMs === undefined || service.outcome === 'unchanged'
      ? []
      : [`outage ${formatDuration(service.downtimeMs)}`]),
    ...(service.readyMs === undefined ? [] : [`ready after ${formatDuration(service.readyMs)}`]),
    ...(service.memoryBytes === undefined ? [] : [formatSize(service.memoryBytes)]),
    ...(service.reasons.length === 0 ? [] : [`why: ${service.reasons.join('; ')}`]),
  ];
  const outcome = dryRun ? '' : ` ${outcomeSign(service.outcome)}`;
  return `  ${service.service}:${outcome}${facts.length === 0 ? '' : ` (${facts.join(', ')})`}`;
}

/** What the headline and "What to do next" say is not said twice. */
function errorLines(title: string, error: ReportedError | undefined, report: RunReport): readonly string[] {
  if (error === undefined) return [];
  const message = error.message === report.headline ? '' : `: ${error.message}`;
  const lines = ['', ...`${title} ${error.code}${message}`.split('\n')];
  for (const excerpt of error.excerpt) {
    lines.push(`  ${excerpt.title}:`, ...excerpt.lines.slice(-LONGEST_EXCERPT).map((line) => `    | ${line}`));
  }
  return report.nextSteps.includes(error.next) ? lines : [...lines, `  → ${error.next}`];
}

/** Cells padded to the widest of their column. */
export function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, index) => (widths[index] = Math.max(widths[index] ?? 0, cell.length)));
  return rows.map((row) => `  ${row.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join('  ')}`.trimEnd());
}
