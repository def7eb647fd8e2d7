import { randomBytes } from 'node:crypto';
import { NUMBER, ONE_OFF, PROJECT, SERVICE } from '../../../src/engine/observed.js';
import { createMemoryClock } from '../memory/clock.js';
import { createMemoryCompose } from '../memory/compose.js';
import { DockerWorld } from '../memory/docker.js';
import { createMemoryEngine } from '../memory/engine.js';
import { BARE } from '../memory/container.js';
import { Faults } from '../memory/faults.js';
import type { EngineSubject } from './subject.js';

export interface MemorySubject extends EngineSubject {
  readonly world: DockerWorld;
}

/** A project on an engine in memory, whose clock passes as soon as everybody waits. */
export function memorySubject(composeVersion = '2.26.1'): MemorySubject {
  const clock = createMemoryClock({ automatic: true });
  const world = new DockerWorld(clock);
  const project = `rr-${randomBytes(4).toString('hex')}`;
  let images = 0;
  return {
    world,
    engine: createMemoryEngine(world),
    compose: createMemoryCompose(world, { version: composeVersion }),
    clock,
    project,
    directory: `/srv/${project}`,
    port: 24_000,
    async image(behavior, name) {
      images += 1;
      const tag = name ?? `${project}-image-${images}:latest`;
      world.addImage(tag, behavior);
      return tag;
    },
    outside: {
      pause: async (id) => world.containers.pause(id),
      unpause: async (id) => world.containers.unpause(id),
      removeVolume: async (name) => world.volumes.remove(name),
      async oneOff(service, image) {
        const labels = { [PROJECT]: project, [SERVICE]: service, [NUMBER]: '1', [ONE_OFF]: 'True' };
        return world.containers.create(`${project}-${service}-run-1`, { ...BARE, image, labels }).id;
      },
    },
    async unanswered(from) {
      const faults = new Faults();
      if (from === 'start') faults.freeze();
      if (from === 'nobody listens') faults.goDown();
      let calls = 0;
      faults.before = async () => {
        calls += 1;
        if (from === 'second call' && calls > 1) faults.freeze();
      };
      return createMemoryEngine(world, faults);
    },
    cleanup: async () => {
      for (const { id } of world.containers.list()) world.containers.remove(id);
    },
  };
}
