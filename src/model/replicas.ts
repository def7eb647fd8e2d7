import { isAlive, type ObservedContainer, type ServiceDefinition } from './service.js';
import type { Lifetime } from './job.js';

/**
 * Compose recreates a container by making its successor under the name `<id of the old one>_<name>`, and renames it at the
 * end. An interrupted recreate leaves one of that name, with all labels of a replica (docker/compose#11151).
 */
const LEFT_NAME = /^[0-9a-f]{12}_(.+)$/;

type Named = Pick<ObservedContainer, 'name' | 'state'>;

/**
 * Tells the replicas of services from what interrupted recreates left. A container under such a name that runs while none
 * of the right name does is what serves: it is a replica.
 * @param containers all containers of one service or several
 */
export function replicasAmong<T extends Named>(
  containers: readonly T[],
): { readonly replicas: readonly T[]; readonly leftovers: readonly T[] } {
  const running = new Set(containers.filter(isAlive).map(({ name }) => name));
  const isLeft = (container: T): boolean => {
    const name = LEFT_NAME.exec(container.name)?.[1];
    return name !== undefined && (!isAlive(container) || running.has(name));
  };
  return {
    replicas: containers.filter((container) => !isLeft(container)),
    leftovers: containers.filter(isLeft),
  };
}

/**
 * What the file says, zero included. Where it says nothing, what a person scaled the service to stays; the containers of a
 * job say nothing about that.
 * @param present how many containers there are
 */
export function wantedReplicas({ raw, replicas }: ServiceDefinition, lifetime: Lifetime, present: number): number {
  const deploy = raw['deploy'] as { replicas?: number } | undefined;
  const said = deploy?.replicas !== undefined || raw['scale'] !== undefined;
  return said || lifetime === 'ends' ? replicas : Math.max(replicas, present);
}
