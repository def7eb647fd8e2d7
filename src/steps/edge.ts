import type { OperationOf } from '../model/operation.js';
import type { Session } from './session.js';
import { noteCut } from './traffic.js';

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
