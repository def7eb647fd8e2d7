import type { OperationOf } from '../operations/operation.js';
import type { Session } from './session.js';
import { noteCut, routerOf } from './traffic.js';

/** Makes the edge, which sends to the containers that run until it is told otherwise. */
export async function installEdge(
  session: Session,
  { service, edge, containers }: OperationOf<'install-edge'>,
  signal: AbortSignal,
): Promise<void> {
  const all = await session.engine.containers(session.project, service);
  const targets = all
    .filter(({ id, state }) => containers.includes(id) && state === 'running')
    .map((container) => ({ container, weight: 100 }));
  await session.edges.install(edge, targets, signal);
}

export async function endTakeover(
  session: Session,
  { service, timeoutMs }: OperationOf<'end-takeover'>,
  signal: AbortSignal,
): Promise<void> {
  const connections = await session.edges.endTakeover(session.project, service, timeoutMs, signal);
  if (connections > 0) noteCut(session, service, connections, timeoutMs);
}

/**
 * The edge has its ports again, holds nothing, and sends to the containers that run on a network of it. One of which no
 * container runs is only opened: what is started next gets its requests.
 */
export async function repairEdge(
  session: Session,
  { service, timeoutMs }: OperationOf<'repair-edge'>,
  signal: AbortSignal,
): Promise<void> {
  const { edges, engine, project, request } = session;
  await edges.open(project, service, signal);
  const edge = await edges.find(project, service);
  if (edge?.takeover === true) {
    await edges.endRedirect(project, service, request.edgeImage);
    await endTakeover(session, { kind: 'end-takeover', service, timeoutMs }, signal);
  }
  const names = edge?.spec.networks.map(({ name }) => name) ?? [];
  const all = await engine.containers(project, service);
  const targets = all
    .filter(({ state, networks }) => state === 'running' && names.some((name) => networks[name] !== undefined))
    .map((container) => ({ container, weight: 100 }));
  const router = await routerOf(session, service, { kind: 'edge' });
  await router.release(signal);
  if (targets.length > 0) await router.apply(targets, signal);
}
