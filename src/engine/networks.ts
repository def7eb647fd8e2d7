import type { EngineClient } from './client.js';
import { EngineError, unlessStatus } from './failures.js';
import { PROJECT } from './observed.js';

/** @returns the names of the networks that stay, since something is on them that is not of the project's services */
export async function removeNetworks(client: EngineClient, project: string): Promise<readonly string[]> {
  const listed = await client.call(`list networks of ${project}`, (docker, abortSignal) =>
    docker.listNetworks({ filters: { label: [`${PROJECT}=${project}`] }, abortSignal }),
  );
  const stay: string[] = [];
  for (const { Id, Name } of listed) {
    const removing = client.call(`remove network ${Name}`, async (docker, abortSignal) => {
      await docker.getNetwork(Id).remove({ abortSignal });
    });
    try {
      await unlessStatus([404], undefined, removing);
    } catch (error) {
      // Engine API, NetworkDelete: 403 "has active endpoints".
      if (!(error instanceof EngineError) || error.status !== 403) throw error;
      stay.push(Name);
    }
  }
  return stay;
}

export async function hasNetwork(client: EngineClient, name: string): Promise<boolean> {
  const looking = client.getJson(`inspect network ${name}`, `/networks/${encodeURIComponent(name)}`);
  return (await unlessStatus([404], undefined, looking)) !== undefined;
}
