import { homedir } from 'node:os';
import { resolveEndpoint } from '../../src/engine/endpoint.js';
import { createDockerEngine } from '../../src/engine/engine.js';
import type { RecordsApi } from '../../src/model/ports/records.js';

/** The records of the engine that the Docker CLI talks to. */
export function engineRecords(): RecordsApi {
  const opening = resolveEndpoint(process.env, homedir());
  const records = opening.then((endpoint) => createDockerEngine(endpoint, () => undefined).records);
  return {
    createVolume: async (name, labels) => (await records).createVolume(name, labels),
    listVolumes: async (label) => (await records).listVolumes(label),
    removeVolume: async (name) => (await records).removeVolume(name),
    ensureRecordsContainer: async (options) => (await records).ensureRecordsContainer(options),
    writeFiles: async (container, files) => (await records).writeFiles(container, files),
    readFile: async (container, path) => (await records).readFile(container, path),
    readTree: async (container, folder) => (await records).readTree(container, folder),
    removeContainer: async (id) => (await records).removeContainer(id),
  };
}
