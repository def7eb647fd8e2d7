import { failureOf } from '../model/errors.js';
import type { Operation } from '../operations/operation.js';
import type { EjectRecovery, Recovery } from '../strategies/recovery.js';
import { liveRelease } from '../model/release.js';
import type { RouterSpec } from '../model/router.js';
import { finishEject, undoEject } from '../strategies/eject.js';
import { keptCandidate } from './kept-candidate.js';
import { observe } from './observe.js';
import { readinessTimeout } from './readiness.js';
import { ServiceRun } from './service-run.js';
import type { Session } from './session.js';

/** The edge was being taken away: it takes the ports again, or what is left of it goes. */
export async function recoverEject(
  session: Session,
  service: string,
  { kind, before, alone }: EjectRecovery,
  deadline: AbortSignal,
): Promise<void> {
  const edge = await session.edges.find(session.project, service);
  if (edge === undefined) return;
  const current = await observe(session.engine, session, session.project, service);
  const ids = current.containers.map(({ id }) => id);
  const present = before.length === 0 ? ids : before;
  const drainTimeoutMs = session.request.drainTimeoutMs;
  if (kind === 'remove-edge') {
    const operations = finishEject({
      service,
      left: present.filter((id) => ids.includes(id) && ids.length > present.length),
      containerName: session.opened.live.services[service]?.containerName,
      edge: edge.spec,
      drainTimeoutMs,
    });
    for (const operation of operations) await session.execute(operation, deadline);
    return;
  }
  const release = (current.release ?? liveRelease(current.history))?.id;
  const operations = undoEject({
    service,
    release: release ?? '',
    present,
    edge: edge.spec,
    alone: alone && release !== undefined,
    readinessTimeoutMs: readinessTimeout(current.containers[0]?.healthCheck, session.request.readinessTimeoutMs),
    drainTimeoutMs,
  });
  const run = release === undefined ? session : new ServiceRun(session, await keptCandidate(session, release, current));
  for (const operation of operations) await run.execute(operation, deadline);
}

/**
 * Nothing new had been started: containers that were stopped run again, what was held goes on, the edge goes. What fails
 * of it is no end: whether the service serves is asked afterwards, and repaired.
 */
export async function resume(
  session: Session,
  service: string,
  recovery: Extract<Recovery, { kind: 'resume' }>,
  deadline: AbortSignal,
): Promise<void> {
  try {
    await takeUpAgain(session, service, recovery, deadline);
  } catch (error) {
    const failure = failureOf(error);
    if (deadline.aborted) throw failure;
    session.progress.warning(`${service}: ${failure.message}`);
  }
}

async function takeUpAgain(
  session: Session,
  service: string,
  { stopped, router, redirected }: Extract<Recovery, { kind: 'resume' }>,
  deadline: AbortSignal,
): Promise<void> {
  const edge = await session.edges.find(session.project, service);
  const containers = await session.engine.containers(session.project, service);
  const again = stopped.filter((id) => containers.some((one) => one.id === id));
  const ports = edge?.spec.ports.map(({ published }) => published) ?? [];
  const timeoutMs = session.request.drainTimeoutMs;
  const takingOver = edge !== undefined && !edge.open && containers.some(({ publishes }) => publishes);
  const execute = (operation: Operation): Promise<void> => session.execute(operation, deadline);
  if (again.length > 0) await execute({ kind: 'start-containers', service, containers: again });
  // The edge may be gone, and the rules that led to it not.
  if (redirected.length > 0 && (takingOver || edge === undefined))
    await execute({ kind: 'end-redirect', service, ports: redirected });
  if (takingOver) {
    if (edge.takeover && router !== undefined) await letThrough(session, service, router, deadline);
    await execute({ kind: 'end-takeover', service, timeoutMs });
    await execute({ kind: 'remove-edge', service });
  } else if (edge !== undefined && router !== undefined) {
    await execute({ kind: 'repair-edge', service, ports, timeoutMs });
  }
}

/** What waits in a take-over container is answered before that goes; one that does not run any more keeps nothing waiting. */
async function letThrough(session: Session, service: string, router: RouterSpec, deadline: AbortSignal): Promise<void> {
  const all = { who: 'all-but', containers: [] } as const;
  try {
    await session.execute({ kind: 'shift-traffic', service, router, serve: all }, deadline);
    await session.execute({ kind: 'release-traffic', service, router }, deadline);
  } catch (error) {
    deadline.throwIfAborted();
    session.progress.warning(`${service}: ${failureOf(error).message}`);
  }
}
