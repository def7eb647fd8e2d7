import { isGreen } from '../model/outcome.js';
import type { ReportedError, RunReport } from '../model/report.js';
import { formatDuration } from '../model/units.js';
import { block, code, folded, inline, link, paragraph } from './markdown.js';
import { renderChart } from './chart.js';
import { renderPlanMarkdown } from './plan-markdown.js';
import {
  renderChecklist,
  renderCommits,
  renderDiffs,
  renderPullRequests,
  renderFinding,
  renderServices,
  renderTargets,
  renderTimeline,
  saysSomething,
  renderWarnings,
} from './summary-parts.js';
import { renderTraffic } from './traffic.js';
import { changedWords, reportTitle } from './words.js';

/**
 * The job summary: the outcome first, then what a person needs now, then the details.
 * Every `## ` begins a section: a summary that is too long is cut at one.
 */
export function renderSummary(report: RunReport): string {
  const sections = [head(report)];
  const add = (title: string, body: string | undefined): void => {
    if (body !== undefined && body !== '') sections.push(`## ${title}\n\n${body}`);
  };
  const live = report.dryRun ? 'Services' : 'Live now';
  const next = report.nextSteps.map((step, index) => `${index + 1}. ${inline(step)}`).join('\n');
  if (report.error !== undefined) add('What happened', renderError(report.error, report));
  if (report.undoError !== undefined) add('Why undoing failed', renderError(report.undoError, report));
  if (!isGreen(report.outcome)) add('What to do next', next);
  add(live, renderServices(report));
  if (isGreen(report.outcome)) add('What to do next', next);
  add('Warning signs', renderWarnings(report.warnings));
  add('Traffic', renderTraffic(report.traffic));
  for (const finding of report.findings) add(inline(finding.title), renderFinding(finding));
  add('What changes in the configuration', renderDiffs(report.plan));
  for (const chart of report.charts) add(inline(chart.title), renderChart(chart));
  add('Plan', plan(report));
  add('Timeline', renderTimeline(report.timeline));
  add('Targets', renderTargets(report.slo));
  add('Checklists', report.checklists.filter(saysSomething).map(renderChecklist).join('\n\n'));
  add('Pull requests', renderPullRequests(report.pullRequests));
  add('New commits', renderCommits(report.commits));
  if (report.evidencePath !== undefined) {
    add(
      'Evidence',
      `Logs, resource use and inspect output, secrets hidden: ${code(report.evidencePath)} on ${code(report.invocation.host)}`,
    );
  }
  return `${sections.join('\n\n')}\n`;
}

function head(report: RunReport): string {
  const { invocation, engine } = report;
  const facts = [
    `${code(report.procedure)} of project ${code(report.project)}`,
    formatDuration(report.durationMs),
    inline(invocation.actor),
    ...(invocation.runUrl === undefined ? [] : [link('run', invocation.runUrl)]),
    ...(engine === undefined ? [] : [inline(`Engine ${engine.version}, Compose ${engine.compose} on ${engine.name}`)]),
  ];
  const parts = [`# ${reportTitle(report)}`, `**${inline(report.headline)}**`, facts.join(' · ')];
  if (report.dryRun) parts.push('> This was a dry run: nothing was changed.');
  else if (!isGreen(report.outcome)) {
    parts.push(`> ${changedWords(report)}`);
  }
  return parts.join('\n\n');
}

/** What the headline and "What to do next" say is not said twice. */
function renderError(error: ReportedError, { headline, nextSteps }: RunReport): string {
  return [
    ...(error.message === headline ? [] : [paragraph(error.message)]),
    nextSteps.includes(error.next) ? code(error.code) : `${code(error.code)}: ${inline(error.next)}`,
    ...error.excerpt.map((excerpt) => `${inline(excerpt.title)}:\n\n${block(excerpt.lines)}`),
  ].join('\n\n');
}

function plan(report: RunReport): string | undefined {
  if (report.plan === undefined) return undefined;
  const body = renderPlanMarkdown(report.plan);
  if (report.dryRun) return body;
  const title =
    report.plan.procedure === report.procedure ? 'What was planned' : `What ${report.plan.procedure} would do now`;
  return folded(`${title}, and how each operation is undone`, body);
}
