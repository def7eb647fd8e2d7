import path from 'node:path';
import type { Runner } from './action/runner.js';
import type { ProcedureError } from './model/errors.js';
import { isGreen } from './model/outcome.js';
import type { Redactor } from './model/ports/progress.js';
import type { RunReport } from './model/report.js';
import type { Invocation, Request } from './model/request.js';
import { annotations } from './report/annotations.js';
import { paragraph } from './report/markdown.js';
import { writeReportFile } from './report/report-file.js';
import { renderSummary } from './report/summary.js';
import { renderText } from './report/text.js';
import { outcomeTitle } from './report/words.js';
import type { Run } from './run/run.js';

/** @returns where the JSON report of a run is written */
export function reportPath(request: Request, invocation: Invocation): string {
  return path.join(request.evidenceDir, invocation.runId, 'report.json');
}

/** Set before anything happens: a later step uploads from there even when this process is killed. */
export function announcePaths(runner: Runner, request: Request, invocation: Invocation): void {
  runner.setOutput('report-path', reportPath(request, invocation));
  runner.setOutput('evidence-path', path.join(request.evidenceDir, invocation.runId));
}

/** Everything a workflow or a person gets to see of a run; the job is red unless the outcome is green. */
export async function publish(runner: Runner, redactor: Redactor, run: Run, report: RunReport): Promise<void> {
  setOutputs(runner, report);
  runner.setOutput('pushed-images', imagesOf(run.recorder.pushed));
  runner.setOutput('recorded-images', imagesOf(run.recorder.pinned));
  await writeReportFile(reportPath(run.request, run.invocation), report, redactor);
  await runner.writeSummary(renderSummary(report));
  runner.info(renderText(report));
  for (const { level, text } of annotations(report)) {
    if (level === 'warning') continue; // each was an annotation when it was seen
    runner.fail(text);
  }
  if (!isGreen(report.outcome)) process.exitCode = 1;
}

function imagesOf(images: ReadonlyMap<string, string>): string {
  return images.size === 0 ? '' : JSON.stringify(Object.fromEntries(images));
}

function setOutputs(runner: Runner, report: RunReport): void {
  const first = report.services[0];
  const all = (pick: (service: RunReport['services'][number]) => string | undefined): string =>
    report.services.length <= 1
      ? ((first === undefined ? undefined : pick(first)) ?? '')
      : report.services.map((service) => `${service.service}=${pick(service) ?? ''}`).join('\n');
  runner.setOutput('outcome', report.outcome);
  runner.setOutput(
    'release',
    all((service) => service.release),
  );
  runner.setOutput(
    'previous-release',
    all((service) => service.previousRelease),
  );
  runner.setOutput(
    'image-digest',
    all((service) => service.imageDigest),
  );
  runner.setOutput('downtime-ms', String(Math.max(0, ...report.services.map((service) => service.downtimeMs ?? 0))));
  if (report.traffic !== undefined) {
    const { requests, failed, longestGapMs, p99Ms } = report.traffic;
    runner.setOutput('probe-requests', String(requests));
    runner.setOutput('probe-failed', String(failed));
    runner.setOutput('probe-longest-gap-ms', String(longestGapMs));
    runner.setOutput('probe-p99-ms', p99Ms === undefined ? '' : String(p99Ms));
  }
  runner.setOutput('duration-ms', String(report.durationMs));
  runner.setOutput('warnings', JSON.stringify(report.warnings));
  if (report.plan !== undefined) runner.setOutput('plan', JSON.stringify(report.plan));
}

/** The inputs could not be read, or nothing could be wired: nothing was changed. */
export async function publishRefusal(runner: Runner, error: ProcedureError): Promise<void> {
  const outcome = error.code === 'E_INTERNAL' ? 'failed' : 'refused';
  runner.setOutput('outcome', outcome);
  for (const { title, lines } of error.excerpt) runner.info([`${title}:`, ...lines].join('\n'));
  const what = [`# ${outcomeTitle(outcome)}`, paragraph(error.message), '## What to do next', paragraph(error.next)];
  await runner.writeSummary(`${what.join('\n\n')}\n`);
  runner.fail(`${error.code}: ${error.message}\nNext: ${error.next}`);
}
