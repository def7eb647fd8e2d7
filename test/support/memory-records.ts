import type { RecordsApi } from '../../src/model/ports/records.js';
import { createMemoryClock } from './memory/clock.js';
import { DockerWorld } from './memory/docker.js';
import { createMemoryRecords } from './memory/records.js';

type Labels = Readonly<Record<string, string>>;

/** What the lock and the records ask of an engine: a world of its own, for tests of the algorithms. */
export interface MemoryEngine extends RecordsApi {
  readonly volumes: {
    keys(): readonly string[];
    /** Somebody else has made one. */
    set(name: string, labels: Labels): void;
  };
  /** As `docker container prune` does. */
  pruneContainers(): void;
  /** What the records container opens. */
  readonly files: Map<string, Buffer>;
}

/** @param before awaited ahead of every call's effect: where a test puts its interleavings, delays and failures */
export function memoryEngine(before: (call: string) => Promise<void> = async () => {}): MemoryEngine {
  const world = new DockerWorld(createMemoryClock());
  world.faults.before = before;
  return {
    ...createMemoryRecords(world),
    volumes: {
      keys: () => world.volumes.list().map(({ name }) => name),
      set: (name, labels) => void world.volumes.ensure(name, labels),
    },
    pruneContainers() {
      for (const { id } of world.containers.list()) world.containers.remove(id);
    },
    get files() {
      return world.volumes.list().find(({ name }) => name.endsWith('.records'))?.files ?? new Map<string, Buffer>();
    },
  };
}
