import type { Engine } from '../model/ports/engine.js';
import type { VolumeData } from '../model/ports/data.js';
import type { IsolatedCompose } from '../model/ports/isolated-compose.js';
import type { OwnContainers } from '../model/ports/own-containers.js';
import type { RecordsApi } from '../model/ports/records.js';
import type { Traces } from '../model/ports/traces.js';
import { createBeside } from './beside.js';
import { findBorrowers } from './borrowers.js';
import { EngineClient } from './client.js';
import { createIsolatedCompose } from './compose-isolated.js';
import { createContainers } from './containers.js';
import type { Endpoint } from './endpoint.js';
import { projectEvents } from './events.js';
import { createVolumeData } from './data.js';
import { execute } from './exec.js';
import { readFacts } from './facts.js';
import { createHostPaths } from './host-paths.js';
import { createImages } from './images.js';
import { readLogs } from './logs.js';
import { createOwnContainers } from './own-containers.js';
import { createNeighbours } from './neighbours.js';
import { removeNetworks } from './networks.js';
import { createRecordsApi } from './records.js';
import { readResource } from './resources.js';
import { readMemory, readStats, streamStats } from './stats.js';
import { createTraces } from './traces.js';

/** The engine of a run, the ledger's way to its records, and the containers that are our own. */
export interface DockerEngine extends Engine {
  readonly records: RecordsApi;
  readonly own: OwnContainers;
  readonly data: VolumeData;
  readonly traces: Traces;
  /** @param environment of the programs of the host: where Compose's is found */
  isolated(environment: Readonly<Record<string, string | undefined>>): IsolatedCompose;
}

/**
 * The Engine API behind the model's interfaces. Nothing is sent before the first call.
 * @param debug gets a line before and after each call; no line holds a secret
 * @param run whose helper containers are labelled with it
 */
export function createDockerEngine(endpoint: Endpoint, debug: (line: string) => void, run = 'none'): DockerEngine {
  const client = new EngineClient(endpoint, debug);
  const containers = createContainers(client);
  const own = createOwnContainers(client, run);
  return {
    ...containers,
    ...createBeside(client),
    ...createImages(client),
    ...createNeighbours(client),
    ...createHostPaths(client, run),
    facts: () => readFacts(client),
    readFile: (id, path) => own.readFile(id, path),
    resource: (named) => readResource(client, named),
    borrowers: (of, project) => findBorrowers(client, containers.container, of, project),
    removeNetworks: (project) => removeNetworks(client, project),
    logs: (id, options) => readLogs(client, id, options),
    stats: (id) => readStats(client, id),
    memoryNow: (id) => readMemory(client, id),
    statsStream: (id, signal) => streamStats(client, id, containers.container, signal),
    events: (project, signal) => projectEvents(client, project, signal),
    exec: (id, command, options) => execute(client, id, command, options),
    records: createRecordsApi(client),
    own,
    data: createVolumeData(client, run),
    traces: createTraces(client),
    isolated: (environment) => createIsolatedCompose(client, run, environment),
  };
}
