import { failureOf, ProcedureError } from '../model/errors.js';
import type { EdgeState } from '../model/edge.js';
import type { Operation } from '../operations/operation.js';
import type { OutcomeKind } from '../model/outcome.js';
import type { ServicePlan } from '../operations/plan.js';
import { planEject, undoEject } from '../strategies/eject.js';
import { exclusiveMounts } from '../strategies/obstacles.js';
import type { Candidate } from './candidate.js';
import { inOrder } from './data.js';
import { backupFirst, withBackup } from './data-change.js';
import { passCreatable, refuseKnown } from './gates/creatable.js';
import { requireKept } from './keeping.js';
import { keptCandidate } from './kept-candidate.js';
import { adopt, viewAdopted } from './adopt.js';
import { observe } from './observe.js';
import { readinessTimeout } from './readiness.js';
import { ServiceRun } from './service-run.js';
import type { Session, Viewing } from './session.js';
import { checksFor } from './verify.js';

/** How long going back may take, when what is put back does not become ready. */
const UNDO_MS = 5 * 60_000;

/** One service, its edge, and how the edge goes. */
export interface Ejection {
  readonly candidate: Candidate;
  readonly edge: EdgeState;
  readonly plan: ServicePlan;
}

export interface FailedEjection {
  readonly outcome: OutcomeKind;
  readonly headline: string;
  readonly error: ProcedureError;
  readonly changed: boolean;
}

/** @throws ProcedureError E_GATE when there is nothing to eject, or more containers than can have the port */
export async function viewEjection(viewing: Viewing, service: string): Promise<Ejection> {
  const edge = await requireEdge(viewing, service);
  const current = await viewAdopted(viewing, service);
  const release = requireRelease(service, current.release?.id);
  const candidate = await keptCandidate(viewing, release, current);
  await refuseKnown(viewing, service, candidate.release.definition);
  const plan = withBackup(planFor(viewing, candidate, edge), await backupFirst(viewing, service, current));
  return { candidate, edge, plan: requireKept(viewing, plan, candidate.keeping) };
}

/** The same, with what runs taken into the ledger. */
export async function prepareEjection(session: Session, service: string): Promise<Ejection> {
  await requireEdge(session, service);
  await adopt(session, service, await observe(session.engine, session, session.project, service));
  const ejection = await viewEjection(session, service);
  await passCreatable(session, ejection.candidate);
  return ejection;
}

/** @returns how it failed, and what it is like then; undefined when it went well */
export async function carryOutEjection(
  session: Session,
  { candidate, edge, plan }: Ejection,
): Promise<FailedEjection | undefined> {
  const { service, current } = candidate;
  const run = new ServiceRun(session, candidate);
  const begun = (kind: Operation['kind']): boolean =>
    plan.operations.some((one) => one.kind === kind && session.begun.includes(one));
  try {
    await inOrder(session, plan.operations, (operation) => run.execute(operation, session.signal));
    run.report('deployed', candidate.release, candidate.release.id);
    return undefined;
  } catch (error) {
    const failure = failureOf(error);
    session.progress.error(`${service}: ${failure.message}`);
    if (!begun('close-ports')) return notBegun(run, candidate, failure);
    // From there on the service has its ports: what is left is taking the edge away.
    const forward = begun('end-redirect');
    run.goBackTo(candidate);
    const present = current.containers.map(({ id }) => id);
    const operations = forward
      ? []
      : undoEject({
          service,
          release: candidate.release.id,
          present,
          edge: edge.spec,
          alone: begun('hold-traffic'),
          readinessTimeoutMs: readinessTimeout(candidate.definition.healthCheck, session.request.readinessTimeoutMs),
          drainTimeoutMs: session.request.drainTimeoutMs,
        });
    const deadline = session.clock.deadline(UNDO_MS);
    for (const operation of operations) await run.execute(operation, deadline);
    const outcome = failure.code === 'E_CANCELLED' ? 'cancelled' : forward ? 'failed' : 'rolled-back';
    await run.reportFailure(outcome, candidate.release.id);
    const headline = forward
      ? `${service}: it has its ports, but the edge could not be taken away (${failure.message})`
      : `${service}: it goes through the edge as before (${failure.message})`;
    return { outcome, headline, error: failure, changed: forward };
  }
}

/** The backup or the evidence before it failed: the edge has the ports as before, and nothing goes back. */
async function notBegun(
  run: ServiceRun,
  { service, release }: Candidate,
  error: ProcedureError,
): Promise<FailedEjection> {
  const outcome = error.code === 'E_CANCELLED' ? 'cancelled' : 'failed';
  await run.reportFailure(outcome, release.id);
  const headline = `${service}: it goes through the edge as before (${error.message})`;
  return { outcome, headline, error, changed: false };
}

function planFor(viewing: Viewing, candidate: Candidate, edge: EdgeState): ServicePlan {
  const { service, current, definition, release } = candidate;
  const { request } = viewing;
  const replicas = Math.max(1, current.containers.filter(({ state }) => state === 'running').length);
  if (replicas > 1) {
    throw new ProcedureError('E_GATE', `${replicas} containers of ${service} run, and only one can have its port`, {
      next: `Deploy it with one replica first, then eject. Nothing was changed.`,
    });
  }
  const knownFiles = Object.keys(release.files);
  const alone = exclusiveMounts({ definition, policy: candidate.policy, knownFiles });
  return {
    service,
    strategy: alone.length > 0 ? 'hold' : 'blue-green',
    decision: { kind: 'change', reasons: ['the managed edge is to be removed'] },
    notes: [
      'eject: new connections are redirected while the port changes hands, where the host allows it; otherwise nothing listens until the new container is ready. Connections that are kept open through the edge are closed at the end, and a request of a caller inside the compose network may fail in that moment.',
      ...(alone.length === 0
        ? []
        : [
            `Only one container may open ${alone.join(', ')}: the old one stops before the new one starts, and requests wait meanwhile, where the host allows the redirect.`,
          ]),
      'Without the edge the next change of this service has the outage of a recreate again.',
    ],
    operations: planEject({
      service,
      release: release.id,
      edge: edge.spec,
      present: current.containers.map(({ id }) => id),
      replicas,
      containerName: definition.containerName,
      readinessTimeoutMs: readinessTimeout(definition.healthCheck, request.readinessTimeoutMs),
      watchMs: request.watchMs,
      drainTimeoutMs: request.drainTimeoutMs,
      alone: alone.length > 0,
      checks: checksFor(request, { ends: false, goingBack: true, judgesTraffic: false }),
    }),
    estimatedDowntimeMs: undefined,
  };
}

async function requireEdge(viewing: Viewing, service: string): Promise<EdgeState> {
  const edge = await viewing.edges.find(viewing.project, service);
  if (edge?.open === true) return edge;
  throw new ProcedureError('E_GATE', `${service} has no edge that is open`, {
    next: 'There is nothing to eject. Nothing was changed.',
  });
}

function requireRelease(service: string, release: string | undefined): string {
  if (release !== undefined) return release;
  throw new ProcedureError('E_GATE', `What runs of ${service} is no release of the ledger`, {
    next: 'Deploy it with procedure code-update first. Nothing was changed.',
  });
}
