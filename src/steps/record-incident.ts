import { incidentLine, type Incident, type RootCause } from '../model/incident.js';
import type { Run } from '../run/run.js';
import { writeOrWarn } from '../run/write-or-warn.js';

/** Shows what was found, and writes it where people look for it later. Whatever fails here fails nothing. */
export async function recordIncident(
  run: Run & { readonly project: string },
  outcome: { readonly outcome: string; readonly headline: string },
  services: readonly string[],
  causes: readonly RootCause[],
): Promise<void> {
  const { recorder, progress, redactor, invocation } = run;
  const clean = (text: string): string => redactor.text(text);
  for (const cause of causes) {
    recorder.findings.push({
      title: `Root cause of ${cause.service}: ${cause.likely[0] ?? 'nothing found that points anywhere'}`,
      columns: ['What', 'Found'],
      rows: cause.facts.map(({ what, found }) => [what, found]),
    });
    for (const line of cause.likely) progress.info(`  ? ${cause.service}: ${clean(line)}`);
  }
  const incident: Incident = {
    at: new Date(run.clock.now()).toISOString(),
    project: run.project,
    services,
    by: invocation.actor,
    run: invocation.runId,
    runUrl: invocation.runUrl,
    reason: run.request.reason,
    outcome: outcome.outcome,
    headline: clean(outcome.headline),
    causes: causes.map((cause) => ({
      service: cause.service,
      likely: cause.likely.map(clean),
      facts: cause.facts.map(({ what, found }) => ({ what, found: clean(found) })),
    })),
    evidencePath: run.evidence.path,
  };
  const { incidents } = run;
  const line = clean(incidentLine(incident));
  if (await writeOrWarn(progress, `The incident log ${incidents.path}`, () => incidents.append(line))) {
    progress.info(`incident written to ${incidents.path}`);
  }
  const issue = await run.codeHost.reportIncident(incident);
  if (issue === undefined) return;
  const words = `${issue.created ? 'opened' : 'added to'} issue #${issue.number}: ${issue.url}`;
  progress.info(words);
  recorder.note(words);
  recorder.nextSteps.push(`Find out the cause: issue #${issue.number} (${issue.url}).`);
}
