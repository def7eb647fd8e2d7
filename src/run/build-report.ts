import type { ProcedureError } from '../model/errors.js';
import { isGreen, type OutcomeKind } from '../model/outcome.js';
import type { TrafficReport } from '../model/traffic.js';
import { shownPlan } from '../operations/plan.js';
import { shortened } from '../model/shortened.js';
import type { ReportedError, RunReport } from '../model/report.js';
import { checklists } from './checklists.js';
import type { Recorder } from './recorder.js';
import type { Run } from './run.js';

/** What is shown of a log under an error. */
const EXCERPT_LINES = 100;
const EXCERPT_CHARACTERS = 2_000;

export interface EndedRun {
  readonly outcome: OutcomeKind;
  readonly headline: string;
  readonly error: ProcedureError | undefined;
  readonly undoError: ProcedureError | undefined;
  readonly changed: boolean;
}

/** Puts the report together from what the recorder saw; every text in it is redacted here, once. */
export function buildReport(run: Run, ended: EndedRun): RunReport {
  const { recorder, request, invocation, redactor } = run;
  const clean = (text: string): string => redactor.text(text);
  return {
    schema: 'rolling-restart/report/v1',
    procedure: request.procedure,
    project: recorder.project,
    dryRun: request.dryRun,
    outcome: ended.outcome,
    headline: clean(ended.headline),
    changed: hasChanged(ended, recorder),
    startedAt: recorder.startedAt.toISOString(),
    durationMs: run.clock.now() - recorder.startedAt.getTime(),
    invocation,
    engine: recorder.engine,
    services: recorder.services.map((service) => ({ ...service, reasons: service.reasons.map(clean) })),
    plan: recorder.plan === undefined ? undefined : shownPlan(recorder.plan, clean),
    timeline: recorder.timeline.map((entry) => ({ ...entry, text: clean(entry.text) })),
    warnings: recorder.warnings.map((sign) => ({ ...sign, message: clean(sign.message) })),
    checklists: checklists(recorder),
    slo: recorder.slo,
    traffic: cleanTraffic(recorder.traffic, clean),
    commits: recorder.commits.map(clean),
    pullRequests: recorder.pullRequests.map((one) => ({ ...one, title: clean(one.title) })),
    error: reported(ended.error, clean),
    undoError: reported(ended.undoError, clean),
    nextSteps: nextSteps(ended, recorder, request).map(clean),
    evidencePath: recorder.captured.length === 0 ? undefined : run.evidence.path,
    findings: recorder.findings.map((finding) => ({ ...finding, rows: finding.rows.map((row) => row.map(clean)) })),
    charts: recorder.charts,
  };
}

/**
 * The reading of the engine decides where there is one. It cannot show a restart in place, so for a service that ended well the
 * procedure says whether it changed.
 */
function hasChanged({ outcome, changed }: EndedRun, { difference, unseen, services }: Recorder): boolean {
  if (difference === undefined) return changed;
  const onPurpose = isGreen(outcome) || unseen || services.some((one) => one.outcome === 'deployed');
  return difference === 'other' || (onPurpose && changed);
}

/** Addresses and versions may hold what is secret: the one is the user's, the others are what a service answers. */
function cleanTraffic(traffic: TrafficReport | undefined, clean: (text: string) => string): TrafficReport | undefined {
  if (traffic === undefined) return undefined;
  return {
    ...traffic,
    url: clean(traffic.url),
    reason: clean(traffic.reason),
    firstFailures: traffic.firstFailures.map((one) => ({ ...one, said: clean(one.said) })),
    buckets: traffic.buckets.map((bucket) => ({
      ...bucket,
      versions: bucket.versions.map((one) => ({ ...one, version: clean(one.version) })),
    })),
  };
}

function reported(error: ProcedureError | undefined, clean: (text: string) => string): ReportedError | undefined {
  if (error === undefined) return undefined;
  return {
    code: error.code,
    message: clean(error.message),
    next: clean(error.next),
    excerpt: error.excerpt.map(({ title, lines }) => ({
      title: clean(title),
      lines: lines.slice(-EXCERPT_LINES).map((line) => shortened(clean(line), EXCERPT_CHARACTERS)),
    })),
  };
}

/** What the person should do now, most useful first. */
function nextSteps(
  ended: EndedRun,
  { nextSteps: seen, rejected }: Recorder,
  { dryRun, procedure }: Run['request'],
): readonly string[] {
  const steps: string[] = [];
  // What could not be undone needs a person's hands before anything else.
  if (ended.outcome === 'rollback-failed') steps.push(...seen);
  if (ended.undoError !== undefined) steps.push(ended.undoError.next);
  if (ended.error !== undefined) steps.push(ended.error.next);
  if (ended.outcome === 'rolled-back' && procedure !== 'restore') {
    steps.push(
      rejected.size > 0
        ? 'The release is marked bad: the same commit is refused until it is changed, or force: true is set.'
        : 'The release is not marked bad: when the cause is gone, the same commit can be deployed again.',
    );
  }
  if (dryRun) steps.push('Run it without dry-run to carry this plan out.');
  return [...new Set([...steps, ...seen])];
}
