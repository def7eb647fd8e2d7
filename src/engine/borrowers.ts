import type { Borrower, ObservedContainer } from '../model/service.js';
import type { EngineClient } from './client.js';
import { PROJECT } from './observed.js';

type Known = Pick<ObservedContainer, 'id' | 'name'>;

/** Shortest id that the Docker CLI takes over into what it sends. */
const SHORT_ID = 12;

/**
 * Every running container is inspected, since the engine's list tells the network only.
 * @returns running containers of the engine that take a namespace or volumes from one of `of`
 */
export async function findBorrowers(
  client: EngineClient,
  inspect: (id: string) => Promise<ObservedContainer | undefined>,
  of: readonly Known[],
  project: string,
): Promise<readonly Borrower[]> {
  if (of.length === 0) return [];
  const listed = await client.call('list containers that run', (docker, abortSignal) =>
    docker.listContainers({ abortSignal }),
  );
  const others = listed.filter(({ Id }) => !of.some(({ id }) => id === Id));
  const found = await Promise.all(
    others.map(async ({ Id, Labels }): Promise<readonly Borrower[]> => {
      const container = await inspect(Id);
      if (container === undefined) return [];
      const service = Labels[PROJECT] === project ? container.service : undefined;
      return container.borrows
        .filter(({ from }) => of.some((one) => isNamed(one, from)))
        .map(({ what }) => ({ container: container.name, service, what }));
    }),
  );
  return found.flat();
}

function isNamed({ id, name }: Known, from: string): boolean {
  return name === from || id === from || (from.length >= SHORT_ID && id.startsWith(from));
}
