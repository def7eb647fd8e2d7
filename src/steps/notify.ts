import { describeMessage, MOMENTS, momentOf, type Notice } from '../model/notification.js';
import { isGreen } from '../model/outcome.js';
import type { RunReport } from '../model/report.js';
import type { Run } from '../run/run.js';
import type { Session, Viewing } from './session.js';

/** A message shows what matters; the report has the rest. */
const MOST_NEXT_STEPS = 5;

/** Tells that a procedure begins, and waits for nothing. */
export function tellStart(session: Session): void {
  const { request, project } = session;
  const all =
    request.procedure === 'code-update' || request.procedure === 'config-change' ? 'what changed' : 'all services';
  const services = request.services.length === 0 ? all : request.services.join(', ');
  session.notifier.send(
    noticeOf(session, {
      moment: 'start',
      project,
      services: request.services,
      headline: session.redactor.text(`${request.procedure} of ${services} begins`),
    }),
  );
}

/** Tells how a run ended, waits until all channels have what they were sent, and keeps what became of it. */
export async function tellEnd(run: Run, report: RunReport): Promise<void> {
  const { outcome, changed, durationMs, error, nextSteps, headline, project } = report;
  run.notifier.send(
    noticeOf(run, {
      moment: momentOf(outcome),
      project,
      services: report.services.map(({ service }) => service),
      headline,
      outcome,
      changed,
      durationMs,
      problem: error === undefined ? undefined : { code: error.code, message: error.message },
      next: nextSteps.slice(0, MOST_NEXT_STEPS),
      commit: report.services.findLast(({ commit }) => commit !== undefined)?.commit,
      pullRequests: isGreen(outcome) ? report.pullRequests : [],
    }),
  );
  await keepDeliveries(run);
}

/** Says in a dry run who would be told of what. */
export function describeNotifications(viewing: Viewing): void {
  const { notifier, project, progress, recorder } = viewing;
  const told = new Map<string, string[]>();
  for (const moment of MOMENTS) {
    const notice = noticeOf(viewing, { moment, project, services: [], headline: '' });
    for (const line of notifier.describe(notice)) told.set(line, [...(told.get(line) ?? []), moment]);
  }
  for (const [line, moments] of told) {
    progress.info(`would tell ${line}, at ${moments.join(', ')}`);
    recorder.note(`would tell ${line}, at ${moments.join(', ')}`);
  }
}

type Told = Pick<Notice, 'moment' | 'project' | 'services' | 'headline'> & Partial<Notice>;

/** @returns the notice with what is the same for all of a run; what is passed in is redacted */
export function noticeOf({ clock, request, invocation, redactor, recorder }: Run, told: Told): Notice {
  return {
    kind: 'notice',
    at: new Date(clock.now()).toISOString(),
    procedure: request.procedure,
    outcome: undefined,
    changed: false,
    durationMs: undefined,
    problem: undefined,
    next: [],
    commit: undefined,
    pullRequests: [],
    reason: request.reason === undefined ? undefined : redactor.text(request.reason),
    by: invocation.actor,
    run: invocation.runId,
    runUrl: invocation.runUrl,
    host: invocation.host,
    thread: recorder.thread ?? invocation.runId,
    ...told,
  };
}

/** The runbook's "Notified team", and a table of who could not be told. */
async function keepDeliveries({ notifier, progress, recorder }: Run): Promise<void> {
  const now = progress.doing('notifications');
  now.waitsFor('the answers of the channels');
  const deliveries = await notifier.settle().finally(() => now.end());
  if (deliveries.length === 0) return;
  recorder.findings.push({
    title: 'Notifications',
    columns: ['Channel', 'Message', 'Result'],
    rows: deliveries.map(({ channel, message, problem, durationMs }) => [
      channel,
      describeMessage(message),
      problem === undefined ? `sent in ${durationMs} ms` : `not sent: ${problem}`,
    ]),
  });
  const sent = new Set(deliveries.flatMap(({ channel, problem }) => (problem === undefined ? channel : [])));
  const lost = new Set(deliveries.flatMap(({ channel, problem }) => (problem === undefined ? [] : channel)));
  recorder.gates.push({
    gate: 'notified',
    state: sent.size > 0 ? 'passed' : 'refused',
    detail: [
      ...(sent.size > 0 ? [[...sent].join(', ')] : []),
      ...(lost.size > 0 ? [`not all reached ${[...lost].join(', ')}`] : []),
    ].join('; '),
  });
}
