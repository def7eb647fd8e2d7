import type { Engine, ResourceUse } from '../../../src/model/ports/engine.js';
import type { Caller } from './calls.js';
import { rfc3339, type Container } from './container.js';
import type { DockerWorld } from './docker.js';

const MEBI = 1024 * 1024;
const LIMIT_BYTES = 2_048 * MEBI;
const INTERVAL_MS = 1_000;

/** Resource use: memory by the script of the image, and no processor time. */
export function statsMembers(
  { containers, clock }: DockerWorld,
  call: Caller,
): Pick<Engine, 'stats' | 'memoryNow' | 'statsStream'> {
  const reading = (container: Container | undefined): ResourceUse | undefined => {
    if (container?.state !== 'running') return undefined;
    const { memoryBytes = () => 50 * MEBI } = container.image.behavior;
    return {
      memoryBytes: memoryBytes(clock.monotonic() - container.startedAt),
      memoryLimitBytes: LIMIT_BYTES,
      cpuPercent: 0,
      processes: 1,
      at: rfc3339(clock.now()),
    };
  };
  const read = (member: string) => (id: string) => {
    const target = containers.find(id)?.name ?? id;
    return call({ member, what: `read the resource use of container ${id}`, target }, () =>
      reading(containers.find(id)),
    );
  };
  return {
    stats: read('stats'),
    memoryNow: read('memoryNow'),
    async *statsStream(id, signal) {
      while (!signal.aborted) {
        const container = containers.find(id);
        if (container === undefined || container.state === 'exited') return;
        const use = reading(container);
        if (use !== undefined) yield use;
        await clock.sleep(INTERVAL_MS, signal).catch(() => undefined);
      }
    },
  };
}
