import type { Engine } from '../model/ports/engine.js';
import type { OperationOf } from '../operations/operation.js';
import type { Session, Viewing } from './session.js';

/** @returns what takes away the containers that interrupted recreates of the services left */
export async function leftoverOperations(
  { engine, project }: Viewing,
  services: readonly { readonly service: string }[],
): Promise<readonly OperationOf<'remove-leftovers'>[]> {
  const all = await engine.leftovers(project);
  return services.flatMap(({ service }) => {
    const own = all.filter((container) => container.service === service);
    if (own.length === 0) return [];
    const names = own.map(({ name }) => name);
    return [{ kind: 'remove-leftovers' as const, service, containers: own.map(({ id }) => id), names }];
  });
}

/**
 * Compose takes a leftover for a replica, so none may be there when it makes containers: also none that the run itself left
 * before it was killed.
 */
export async function removeLeftovers(session: Session, service: string, signal: AbortSignal): Promise<void> {
  const found = await session.engine.leftovers(session.project, service);
  for (const { name } of found) session.progress.info(`  ${name} was left by an interrupted recreate and is removed`);
  await stopAndRemove(
    session,
    found.map(({ id }) => id),
    signal,
  );
}

/** @returns what a person should look at, in words */
export async function lookAtLeftovers({ engine, project }: Viewing, service: string): Promise<readonly string[]> {
  const found = await engine.leftovers(project, service);
  return found.map(
    ({ name }) => `${name} was left by an interrupted recreate of ${service}; the next deploy removes it`,
  );
}

/** All at once, each within its own grace time. */
export async function stopAndRemove(
  { engine }: { readonly engine: Pick<Engine, 'stopContainer' | 'removeContainer'> },
  containers: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(
    containers.map(async (id) => {
      await engine.stopContainer(id, signal);
      await engine.removeContainer(id);
    }),
  );
}
