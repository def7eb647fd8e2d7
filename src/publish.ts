import path from 'node:path';
import type { Runner } from './action/runner.js';
import type { ProcedureError } from './model/errors.js';
import { isGreen } from './model/outcome.js';
import type { Progress, Redactor } from './model/ports/progress.js';
import type { RunReport } from './model/report.js';
import type { Invocation, Request } from './model/request.js';
import { annotations } from './report/annotations.js';
import { paragraph } from './report/markdown.js';
import { imagesOutput, outputValues } from './report/output-values.js';
import { writeReportFile } from './report/report-file.js';
import { renderSummary } from './report/summary.js';
import { renderText } from './report/text.js';
import { outcomeTitle } from './report/words.js';
import type { Run } from './run/run.js';
import { writeOrWarn } from './run/write-or-warn.js';

/** Where a run is shown: to a runner, or in a shell. */
export type Audience =
  | { readonly kind: 'runner'; readonly runner: Runner; readonly redactor: Redactor }
  | {
      readonly kind: 'shell';
      readonly progress: Progress;
      readonly redactor: Redactor;
      /** Writes to stdout, where a program reads JSON; undefined where a person reads. */
      readonly writeJson: ((json: string) => void) | undefined;
    };

/** @returns where the JSON report of a run is written */
function reportPath(request: Request, invocation: Invocation): string {
  return path.join(request.evidenceDir, invocation.runId, 'report.json');
}

/**
 * Set before anything happens: `post` finds out from the state whether this process came to its end, and a later step
 * uploads from the paths even when it was killed.
 */
export async function announce(runner: Runner, request: Request, invocation: Invocation): Promise<void> {
  await writeOrWarn(runner, 'What the post step needs', () => runner.saveState('run', invocation.runId));
  await writeOrWarn(runner, 'Outputs', () => {
    runner.setOutput('report-path', reportPath(request, invocation));
    runner.setOutput('evidence-path', path.join(request.evidenceDir, invocation.runId));
  });
}

/** Tells `post` that this process came to its end, and whether an undo failed that `post` tries again. */
export async function sayEnded(runner: Runner, ended: 'true' | 'undo-failed'): Promise<void> {
  await writeOrWarn(runner, 'What the post step needs', () => runner.saveState('ended', ended));
}

/**
 * Shows a finished run: exit code, outputs, report file, summary, log. Nothing that fails here changes how the run ended.
 * @param title of the summary's section, where the run belongs to another one
 */
export async function publish(audience: Audience, run: Run, report: RunReport, title?: string): Promise<void> {
  process.exitCode = isGreen(report.outcome) ? 0 : 1;
  const progress = progressOf(audience);
  if (audience.kind === 'runner') await setOutputs(audience.runner, run, report);
  const file = reportPath(run.request, run.invocation);
  await writeOrWarn(progress, `The report ${file}`, () => writeReportFile(file, report, audience.redactor));
  if (audience.kind === 'shell') {
    show(audience, report, renderText(report));
    return;
  }
  const { runner } = audience;
  const summary = `${title === undefined ? '' : `## ${title}\n\n`}${renderSummary(report)}`;
  await writeOrWarn(runner, 'The summary', () => runner.writeSummary(summary));
  const errors = annotations(report).filter(({ level }) => level === 'error');
  // A runner shows the text of an annotation in the log as well: the outcome stands there once.
  for (const { text } of errors) runner.fail(text);
  runner.info(renderText(report, { withoutOutcome: errors.length > 0 }));
}

/** Shows why nothing could begin: the inputs could not be read, or the host is not usable. */
export async function publishProblem(audience: Audience, error: ProcedureError): Promise<void> {
  process.exitCode = 1;
  const { code, message, next, excerpt } = error;
  const outcome = code === 'E_INTERNAL' ? 'failed' : 'refused';
  const progress = progressOf(audience);
  for (const { title, lines } of excerpt) progress.info([`${title}:`, ...lines].join('\n'));
  if (audience.kind === 'shell') {
    progress.error(`${code}: ${message}`);
    progress.info(`Next: ${next}`);
    if (audience.writeJson !== undefined) show(audience, { outcome, error: { code, message, next } }, '');
    return;
  }
  const { runner } = audience;
  await writeOrWarn(runner, 'Outputs', () => runner.setOutput('outcome', outcome));
  const what = [`# ${outcomeTitle(outcome)}`, paragraph(message), '## What to do next', paragraph(next)];
  await writeOrWarn(runner, 'The summary', () => runner.writeSummary(`${what.join('\n\n')}\n`));
  runner.fail(`${code}: ${message}\nNext: ${next}`);
}

/** Shows a result in a shell: as JSON to a program, as text to a person. */
export function show(audience: Extract<Audience, { kind: 'shell' }>, value: unknown, text: string): void {
  const { progress, redactor, writeJson } = audience;
  if (writeJson === undefined) progress.info(text);
  else writeJson(`${JSON.stringify(redactor.json(value), null, 2)}\n`);
}

function progressOf(audience: Audience): Progress {
  return audience.kind === 'runner' ? audience.runner : audience.progress;
}

/** The outcome comes first: it is what workflows ask for, should there be no space for the rest. */
async function setOutputs(runner: Runner, { recorder }: Run, report: RunReport): Promise<void> {
  await writeOrWarn(runner, 'Outputs', () => {
    for (const [name, value] of Object.entries(outputValues(report)) as [
      keyof ReturnType<typeof outputValues>,
      string,
    ][])
      runner.setOutput(name, value);
    runner.setOutput('pushed-images', imagesOutput(recorder.pushed));
    runner.setOutput('recorded-images', imagesOutput(recorder.pinned));
  });
}
