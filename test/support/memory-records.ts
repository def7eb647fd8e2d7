import { ProcedureError } from '../../src/model/errors.js';
import type { RecordsApi } from '../../src/model/ports/records.js';

type Labels = Readonly<Record<string, string>>;

/** What the lock and the records ask of an engine, in memory, for tests of the algorithms. Proves nothing about Docker. */
export interface MemoryEngine extends RecordsApi {
  readonly volumes: Map<string, Labels>;
  /** As `docker container prune` does. */
  pruneContainers(): void;
  readonly files: Map<string, Buffer>;
}

/** @param before awaited ahead of every call's effect: where a test puts its interleavings, delays and failures */
export function memoryEngine(before: (call: string) => Promise<void> = async () => {}): MemoryEngine {
  const volumes = new Map<string, Labels>();
  const files = new Map<string, Buffer>();
  let container = 0;
  let exists = false;
  const demand = (id: string): void => {
    if (!exists || id !== `c${container}`)
      throw new ProcedureError('E_ENGINE', `No such container: ${id}`, { next: '' });
  };
  return {
    volumes,
    files,
    pruneContainers: () => (exists = false),
    async createVolume(name, labels) {
      await before(`create ${name}`);
      const existing = volumes.get(name);
      if (existing !== undefined) return existing;
      volumes.set(name, { ...labels });
      return labels;
    },
    async listVolumes(label) {
      await before(`list ${label}`);
      const [key = '', value] = label.split('=');
      return [...volumes]
        .filter(([, labels]) => (value === undefined ? key in labels : labels[key] === value))
        .map(([name, labels]) => ({ name, labels }));
    },
    async removeVolume(name) {
      await before(`remove ${name}`);
      volumes.delete(name);
    },
    async ensureRecordsContainer() {
      await before('ensure');
      if (!exists) container += 1;
      exists = true;
      return `c${container}`;
    },
    async writeFiles(id, written) {
      await before(`write ${[...written.keys()].join(' and ')}`);
      demand(id);
      for (const [path, content] of written) files.set(path, content);
    },
    async readFile(id, path) {
      await before(`read ${path}`);
      // As the engine's 404, which is the same for "no such container" and "no such file".
      return id === `c${container}` && exists ? files.get(path) : undefined;
    },
    async readTree(id, folder) {
      await before(`tree ${folder}`);
      if (!exists || id !== `c${container}`) return new Map();
      return new Map([...files].filter(([path]) => path.startsWith(`${folder}/`)));
    },
    async removeContainer() {
      exists = false;
    },
  };
}
