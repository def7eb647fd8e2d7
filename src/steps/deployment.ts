import { isGreen } from '../model/outcome.js';
import type { JournalOpening } from '../operations/journal.js';
import type { RunReport } from '../model/report.js';
import type { Request } from '../model/request.js';
import type { Run } from '../run/run.js';
import type { Session, Viewing } from './session.js';

/** Records on the forge that a change of the environment begins, once it is known what is to be live; waits for nothing. */
export function beginDeployment(
  session: Session,
  commit: string | undefined,
  images: Readonly<Record<string, string>> = {},
): void {
  const { request, invocation, deployment, project, progress } = session;
  const { environment } = request.deployment;
  if (environment === undefined || !changesWhatRuns(request)) return;
  const wanted = commit ?? invocation.sha;
  if (wanted === undefined) {
    progress.warning(`The deployment in ${environment} is not recorded: no commit is known of what is deployed.`);
    return;
  }
  const services = request.services.length === 0 ? '' : ` of ${request.services.join(', ')}`;
  deployment.begin({
    environment,
    commit: wanted,
    description: `${request.procedure}${services} on ${invocation.host}`,
    origin: {
      run: invocation.runId,
      project,
      host: invocation.host,
      procedure: request.procedure,
      services: request.services,
      by: invocation.actor,
      image: request.image,
      ref: invocation.ref,
      ...(Object.keys(images).length === 0 ? {} : { images }),
    },
  });
}

/** The phases of a maintenance around the work, each of which may be a run of its own, are no change to record. */
function changesWhatRuns({ procedure, maintenance }: Request): boolean {
  return procedure !== 'maintenance' || maintenance.phases.includes('perform');
}

/** Says how the change ended, and of which record it is that it is live. */
export async function endDeployment({ deployment, recorder }: Run, report: RunReport): Promise<void> {
  const { outcome, headline, services } = report;
  await deployment.settle();
  // Whoever fenced this run finishes or undoes it, and then says how it ended.
  if (report.error?.code === 'E_FENCED') return;
  const live = services.every((one) => isGreen(one.outcome) || recorder.deployed.has(one.service));
  const last = services.at(-1);
  const finding = await deployment.end({
    outcome,
    headline,
    live: live && services.length > 0,
    liveCommit: last?.release === last?.previousRelease ? last?.commit : undefined,
  });
  if (finding !== undefined) recorder.findings.push(finding);
}

/** A dry run says where it would be recorded. */
export function describeDeployment({ request, progress, recorder }: Viewing): void {
  const { environment } = request.deployment;
  if (environment === undefined || !changesWhatRuns(request)) return;
  const line = `would record a deployment in environment ${environment}`;
  progress.info(line);
  recorder.note(line);
}

/** A run that was killed after it had closed its journal had done all but say so: the ledger tells what is live by it. */
export async function endLeftDeployment(session: Session, run: string): Promise<void> {
  const { environment } = session.request.deployment;
  if (environment === undefined) return;
  let live = false;
  for (const service of Object.keys(session.opened.live.services)) {
    const last = (await session.ledger.history(service)).events.findLast((event) => event.run === run);
    if (last?.kind === 'bad') {
      endDeploymentOf(session, { run, environment }, false, `run ${run} went back`);
      return;
    }
    live ||= last?.kind === 'live';
  }
  endDeploymentOf(session, { run, environment }, live, `run ${run} was killed at its end`);
}

/** Whoever recovers a run ends its record too; waits for nothing. */
export function endDeploymentOf(
  { deployment }: Run,
  { run, environment }: Pick<JournalOpening, 'run' | 'environment'>,
  live: boolean,
  headline: string,
): void {
  if (environment === undefined) return;
  deployment.endOf({ environment, run }, live, headline);
}
