import { failureOf, ProcedureError } from '../model/errors.js';
import { isInOrder } from '../model/edge.js';
import type { Operation } from '../operations/operation.js';
import type { Recovery } from '../strategies/recovery.js';
import { liveRelease } from '../model/release.js';
import { describeServing, isServing, type Serving, type ServingFaultKind } from '../model/serving.js';
import { undo } from '../strategies/undo.js';
import { startAgain } from '../strategies/start-again.js';
import type { Candidate, Current } from './candidate.js';
import { keptCandidate } from './kept-candidate.js';
import { observe } from './observe.js';
import { planUndo } from './plan-service.js';
import { readinessTimeout } from './readiness.js';
import { ServiceRun } from './service-run.js';
import { notServing, servingAfter } from './serving.js';
import type { Session } from './session.js';

/** What recovering came to. */
export interface Recovered {
  /** One sentence for each thing that was done. */
  readonly said: readonly string[];
  /** Services that the killed run had not changed, or had deployed for the first time, and that do not serve. */
  readonly broken: readonly ProcedureError[];
}

/**
 * A recovery counts when what it came to serves. What the killed run had not changed, or had deployed for the first time,
 * is not this recovery's to repair: it is told, and the next change of it may be its fix.
 */
export async function proveServing(
  session: Session,
  services: readonly (readonly [string, Recovery])[],
  deadline: AbortSignal,
): Promise<Recovered> {
  const said: string[] = [];
  const broken: ProcedureError[] = [];
  for (const [service, { kind }] of services) {
    if (kind !== 'none' && kind !== 'leave') {
      if (await serveAgain(session, service, deadline)) said.push(`${service}: it serves again`);
      continue;
    }
    const serving = await servingAfter(session, service, deadline);
    if (isServing(serving)) continue;
    const error = notServing(service, serving);
    session.progress.warning(error.message);
    session.recorder.nextSteps.push(`${error.message}. ${error.next}`);
    broken.push(error);
  }
  return { said, broken };
}

/**
 * What a recovery ends with for each service that it came to: it serves. Where it does not, the way of its requests is
 * repaired: in place, then with its containers made anew, then without its edge.
 * @returns whether anything was repaired
 * @throws ProcedureError E_VERIFICATION when it does not serve after that, or when nobody can tell
 */
async function serveAgain(session: Session, service: string, signal: AbortSignal): Promise<boolean> {
  let serving = await servingAfter(session, service, signal);
  if (isServing(serving)) return false;
  let failure: ProcedureError | undefined;
  for (const repair of [inPlace, madeAnew, withoutEdge]) {
    if (serving.kind !== 'not-serving') break;
    session.progress.warning(describeServing(service, serving));
    try {
      await repair(session, service, serving, signal);
    } catch (error) {
      failure = failureOf(error);
      if (signal.aborted) throw failure;
      session.progress.warning(`${service}: ${failure.message}`);
    }
    serving = await servingAfter(session, service, signal);
    if (isServing(serving)) return true;
  }
  throw notServing(service, serving, failure);
}

type NotServing = Extract<Serving, { kind: 'not-serving' }>;
type Repair = (session: Session, service: string, serving: NotServing, signal: AbortSignal) => Promise<void>;

/** Faults that a container made anew does away with: it is on its networks, and has its ports where no edge has them. */
const NEEDS_ANEW: ReadonlySet<ServingFaultKind> = new Set(['missing', 'network', 'port', 'request']);

/** What is there of it is started, and its edge or router sends to it. */
const inPlace: Repair = async (session, service, _, signal) => {
  const found = await release(session, service);
  if (found === undefined) return;
  const { candidate, current } = found;
  const edge = await session.edges.find(session.project, service);
  const publishing = current.containers.some(({ publishes }) => publishes);
  const { drainTimeoutMs: timeoutMs } = session.request;
  const ports = edge?.spec.ports.map(({ published }) => published) ?? [];
  const operations: Operation[] = [];
  if (edge !== undefined && publishing && !edge.open) operations.push({ kind: 'remove-edge', service });
  else if (edge !== undefined) operations.push({ kind: 'repair-edge', service, ports, timeoutMs });
  const down =
    current.containers.length < candidate.replicas || current.containers.some(({ state }) => state !== 'running');
  const { router } = candidate.traffic;
  if (down) {
    operations.push(
      ...startAgain({
        ...startOf(session, candidate),
        traffic: {
          router: edge === undefined || publishing ? unlessEdge(router) : EDGE,
          drainTimeoutMs: timeoutMs,
          takeover: undefined,
        },
      }),
    );
  } else if (edge === undefined && router.kind !== 'none' && router.kind !== 'edge') {
    operations.push({ kind: 'shift-traffic', service, router, serve: { who: 'all-but', containers: [] } });
  }
  const run = new ServiceRun(session, candidate);
  run.goBackTo(candidate);
  for (const operation of operations) await run.execute(operation, signal);
};

/** Behind its edge where that is in order, else by Compose with its own ports. */
const madeAnew: Repair = async (session, service, { faults }, signal) => {
  if (!faults.some(({ kind }) => NEEDS_ANEW.has(kind))) return;
  const edge = await session.edges.find(session.project, service);
  if (edge !== undefined && !isInOrder(edge)) return;
  await anew(session, service, signal);
};

/** Whatever is wrong with the edge, Compose gives the service its own ports. */
const withoutEdge: Repair = async (session, service, { faults }, signal) => {
  if (!faults.some(({ kind }) => NEEDS_ANEW.has(kind) || kind === 'router')) return;
  if ((await session.edges.find(session.project, service)) === undefined) return;
  await session.execute({ kind: 'remove-edge', service }, signal);
  session.recorder.nextSteps.push(
    `The edge of ${service} could not be repaired and was removed. The next change with router: edge takes the port over again.`,
  );
  await anew(session, service, signal);
};

/** The same release once more, as after a change that failed. */
async function anew(session: Session, service: string, signal: AbortSignal): Promise<void> {
  const found = await release(session, service);
  if (found === undefined) return;
  const { candidate } = found;
  const run = new ServiceRun(session, candidate);
  run.goBackTo(candidate);
  const back = await planUndo(session, {
    candidate,
    back: candidate.release,
    failed: candidate.release.id,
    before: [],
    reason: undefined,
  });
  for (const operation of undo({ ...back, checkout: undefined }, 'compose')) await run.execute(operation, signal);
}

async function release(
  session: Session,
  service: string,
): Promise<{ readonly candidate: Candidate; readonly current: Current } | undefined> {
  const current = await observe(session.engine, session, session.project, service);
  const id = (current.release ?? liveRelease(current.history))?.id;
  return id === undefined ? undefined : { candidate: await keptCandidate(session, id, current), current };
}

const EDGE = { kind: 'edge' } as const;

function unlessEdge(router: Candidate['traffic']['router']): Candidate['traffic']['router'] {
  return router.kind === 'edge' ? { kind: 'none' } : router;
}

function startOf(session: Session, candidate: Candidate): Omit<Parameters<typeof startAgain>[0], 'traffic'> {
  const { service, definition, replicas, current } = candidate;
  return {
    service,
    release: candidate.release.id,
    replicas,
    present: current.containers.map(({ id }) => id),
    containerName: definition.containerName,
    timeoutMs: readinessTimeout(definition.healthCheck, session.request.readinessTimeoutMs),
  };
}
