import { asProcedureError, ProcedureError } from '../model/errors.js';
import type { ContainerSet, Serve } from '../model/router.js';
import type { OperationOf } from '../operations/operation.js';
import type { Router, RouteTarget } from '../model/ports/router.js';
import type { RouterSpec } from '../model/router.js';
import type { ObservedContainer } from '../model/service.js';
import { formatDuration } from '../model/units.js';
import { reasonOf } from '../run/abort-reason.js';
import { shares } from '../strategies/shares.js';
import { stopAndRemove } from './leftovers.js';
import type { Session } from './session.js';

/** A router that counts answers at once; an engine call a round. */
const DRAIN_POLL_MS = 100;
const PROGRESS_EVERY_MS = 5_000;

/** @returns the router of a service */
export function routerOf(session: Session, service: string, spec: RouterSpec): Promise<Router> {
  return session.routers.open(spec, { project: session.project, service });
}

/** Containers of a service that a set means, as the engine shows them now. */
export function containersOf(all: readonly ObservedContainer[], set: ContainerSet): readonly ObservedContainer[] {
  return all.filter(({ id }) => (set.are === 'these' ? set.containers.includes(id) : !set.than.includes(id)));
}

/** From now on the requests go where the operation says; the router has confirmed it when this resolves. */
export async function shiftTraffic(
  session: Session,
  { service, router: spec, serve }: OperationOf<'shift-traffic'>,
  signal: AbortSignal,
): Promise<void> {
  const router = await routerOf(session, service, spec);
  const containers = await session.engine.containers(session.project, service);
  const running = containers.filter((container) => container.state === 'running');
  const targets = targetsOf(running, serve);
  if (!targets.some(({ weight }) => weight > 0)) {
    throw new ProcedureError('E_ROUTER', `No running container of ${service} could take its requests`, {
      next: 'Traffic stays where it is. Look at docker compose ps; something else may work on this project.',
    });
  }
  const all = serve.who === 'all-but' && serve.containers.length === 0;
  try {
    await router.apply(targets, signal, all ? 'settled' : 'changing');
  } catch (error) {
    // What failed goes all the same: a drain command of its own that fails as well keeps nobody from going back.
    const message = asProcedureError(error).message;
    if (spec.kind !== 'discovery' || session.lookers.get(service)?.goingBack !== true || signal.aborted) throw error;
    session.progress.warning(`${service}: ${message}; it stops without having been drained`);
  }
}

/** @returns each container's share of the requests; 0 drains it */
function targetsOf(running: readonly ObservedContainer[], serve: Serve): readonly RouteTarget[] {
  switch (serve.who) {
    case 'only':
      return running.map((container) => ({ container, weight: serve.containers.includes(container.id) ? 100 : 0 }));
    case 'all-but':
      return running.map((container) => ({ container, weight: serve.containers.includes(container.id) ? 0 : 100 }));
    case 'new': {
      const isOld = (container: ObservedContainer): boolean => serve.old.includes(container.id);
      const old = running.filter(isOld).length;
      const weights = shares(serve.percent, running.length - old, old);
      return running.map((container) => ({ container, weight: isOld(container) ? weights.old : weights.new }));
    }
  }
}

/**
 * Waits until nothing is in flight at containers that get no new requests. What outlives the timeout is cut, and counted:
 * it would be cut by their stop anyway.
 */
export async function drainContainers(
  session: Session,
  operation: OperationOf<'drain-containers'>,
  signal: AbortSignal,
): Promise<void> {
  const { service, timeoutMs } = operation;
  const router = await routerOf(session, service, operation.router);
  const endsAt = session.clock.monotonic() + timeoutMs;
  let lastSaid = session.clock.monotonic();
  for (;;) {
    if (signal.aborted) throw reasonOf(signal);
    const all = await session.engine.containers(session.project, service);
    const containers = containersOf(all, operation.containers).filter(({ state }) => state === 'running');
    const counts = await Promise.all(containers.map(({ id }) => router.inFlight(id)));
    if (counts.includes(undefined)) {
      session.progress.info(`  the router of ${service} does not say what is in flight: the drain is not confirmed`);
      return;
    }
    const left = counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);
    if (left === 0) return;
    if (session.clock.monotonic() > endsAt) return cut(session, router, service, containers, timeoutMs);
    if (session.clock.monotonic() - lastSaid > PROGRESS_EVERY_MS) {
      lastSaid = session.clock.monotonic();
      session.progress.info(`  … ${service}: ${left} in flight at the old containers`);
    }
    await session.clock.sleep(DRAIN_POLL_MS, signal);
  }
}

async function cut(
  session: Session,
  router: Router,
  service: string,
  containers: readonly ObservedContainer[],
  timeoutMs: number,
): Promise<void> {
  let connections = 0;
  for (const { id } of containers) connections += await router.cut(id);
  noteCut(session, service, connections, timeoutMs);
}

/** Said in the report: somebody's connection broke. */
export function noteCut(session: Session, service: string, connections: number, timeoutMs: number): void {
  const message = `${connections} connections outlived drain-timeout (${formatDuration(timeoutMs)}) and were cut`;
  session.recorder.warn({
    sign: 'note',
    severity: 'low',
    service,
    message,
    at: new Date(session.clock.now()).toISOString(),
    action: 'warn',
  });
  session.progress.warning(`${service}: ${message}`);
}

export async function holdTraffic(
  session: Session,
  { service, router, maxMs, maxQueue }: OperationOf<'hold-traffic'>,
  signal: AbortSignal,
): Promise<void> {
  await (await routerOf(session, service, router)).hold({ maxMs, maxQueue }, signal);
}

export async function releaseTraffic(
  session: Session,
  { service, router }: OperationOf<'release-traffic'>,
  signal: AbortSignal,
): Promise<void> {
  await (await routerOf(session, service, router)).release(signal);
}

/** Stops containers within their grace time, and removes them. All at once: each has its own grace time. */
export async function retireContainers(
  session: Session,
  { service, containers: set }: OperationOf<'retire-containers'>,
  signal: AbortSignal,
): Promise<void> {
  const { engine, project } = session;
  const containers = containersOf(await engine.containers(project, service), set);
  await stopAndRemove(
    { engine },
    containers.map(({ id }) => id),
    signal,
  );
}
