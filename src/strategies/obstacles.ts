import type { Lifetime } from '../model/job.js';
import { ROUTER_ABILITIES, type RouterSpec } from '../model/router.js';
import type { ServicePolicy } from '../model/project-policy.js';
import type { Mount, ObservedContainer, ServiceDefinition } from '../model/service.js';
import { losses, type Keeping } from './losses.js';

/** Why a service cannot run twice for a moment, or not unseen, and what to change so that it can. */
export interface Obstacle {
  readonly why: string;
  readonly change: string;
  /** A word of the user's (`shared-volumes`, an explicit strategy) does away with it; nothing else has to change. */
  readonly declarable: boolean;
  /** Nothing can be put beside it at all, not even when a person asks for it. */
  readonly hard: boolean;
  /** A container beside it would not have something that this one has. */
  readonly loses: boolean;
}

export interface ServiceFacts {
  readonly definition: ServiceDefinition;
  readonly router: RouterSpec;
  readonly policy: ServicePolicy;
  /** Input or policy says how it becomes ready. */
  readonly readinessSaid: boolean;
  readonly observed: readonly ObservedContainer[];
  readonly lifetime: Lifetime;
  /** What a copy of it would have to keep. */
  readonly keeping: Keeping;
  /** Paths on the host that are single files, or lie in the checkout: two containers may read them. */
  readonly knownFiles: readonly string[];
}

/** Everything that stands between the service and a change without an outage. Pure. */
export function obstacles(facts: ServiceFacts): readonly Obstacle[] {
  return [
    // Whatever way it is: the new container is a copy that is made beside the old one.
    ...losses(facts.keeping, { how: 'copy', published: false }).map(({ part, why, change }) => ({
      ...hard(why, change),
      loses: part !== 'host-port',
    })),
    ...routerObstacles(facts),
    ...networkObstacles(facts),
    ...volumeObstacles(facts),
    ...readinessObstacles(facts),
  ];
}

function routerObstacles({ router }: ServiceFacts): readonly Obstacle[] {
  const found: Obstacle[] = [];
  if (router.kind === 'edge') return found;
  if (!ROUTER_ABILITIES[router.kind].controlled && router.kind !== 'discovery') {
    found.push(
      soft(
        'no router sends requests to it, so nothing can move them from the old container to the new one',
        'name the router in x-rolling-restart, or use router: edge',
      ),
    );
  }
  return found;
}

/** Those that are another container's are lost by a copy (`losses.ts`). */
const OWN_NETWORK = /^(default|bridge)$|^(service|container):/;

function networkObstacles({ definition }: ServiceFacts): readonly Obstacle[] {
  const { networkMode, raw } = definition;
  const found: Obstacle[] = [];
  if (networkMode !== undefined && !OWN_NETWORK.test(networkMode)) {
    found.push(
      hard(`network_mode: ${networkMode} gives it no network of its own`, 'put it on a network of the project'),
    );
  }
  const networks = Object.values((raw['networks'] ?? {}) as Readonly<Record<string, Values | null>>);
  if (
    networks.some((settings) => settings?.['ipv4_address'] !== undefined || settings?.['ipv6_address'] !== undefined)
  ) {
    found.push(hard('it has a fixed IP address', 'use the service name instead of the address'));
  }
  if (raw['mac_address'] !== undefined || networks.some((settings) => settings?.['mac_address'] !== undefined)) {
    found.push(hard('it has a fixed MAC address', 'remove mac_address'));
  }
  return found;
}

type Values = Readonly<Record<string, unknown>>;

function volumeObstacles(facts: ServiceFacts): readonly Obstacle[] {
  const { definition } = facts;
  const found: Obstacle[] = [];
  const exclusive = exclusiveMounts(facts);
  if (exclusive.length > 0) {
    const names = exclusive.join(', ');
    found.push({
      why: `it writes to ${names}, which counts as exclusive: two containers would open it at once`,
      change: `if two may open it, say so: x-rolling-restart: services: ${definition.name}: shared-volumes: [${names}]; if not, strategy: hold`,
      declarable: true,
      hard: false,
      loses: false,
    });
  }
  return found;
}

/** @returns what two containers of the service may not open at once, as `shared-volumes` takes it */
export function exclusiveMounts(facts: MountFacts): readonly string[] {
  return facts.definition.mounts.filter((mount) => isExclusive(mount, facts)).map(nameOf);
}

type MountFacts = Pick<ServiceFacts, 'definition' | 'policy' | 'knownFiles'>;

/** A folder of data on the host is as exclusive as a volume; a single file, or what git tracks, is configuration or code. */
function isExclusive(mount: Mount, { policy, knownFiles }: MountFacts): boolean {
  const { type, readOnly, source, target } = mount;
  if (readOnly || source === undefined || (type !== 'volume' && type !== 'bind')) return false;
  if (type === 'bind' && (knownFiles.includes(source) || /^\/(var\/)?run\/|^\/(dev|sys|proc)(\/|$)/.test(source)))
    return false;
  return !policy.sharedVolumes.includes(source) && !policy.sharedVolumes.includes(target);
}

/** As `shared-volumes` takes it. */
function nameOf({ type, source, target }: Mount): string {
  return type === 'volume' ? (source ?? target) : target;
}

function readinessObstacles({ definition, router, readinessSaid, observed }: ServiceFacts): readonly Obstacle[] {
  const checked = definition.healthCheck !== undefined || observed.some(({ healthCheck }) => healthCheck !== undefined);
  if (router.kind === 'discovery' && !checked) {
    return [
      soft(
        'the proxy in front sends requests to a container as soon as it runs, since it has no health check',
        'add a healthcheck to it',
      ),
    ];
  }
  if (checked || readinessSaid) return [];
  return [
    soft(
      'nothing says when it is ready: no health check and no readiness',
      'add a healthcheck, or readiness: http://:PORT/PATH in x-rolling-restart',
    ),
  ];
}

function hard(why: string, change: string): Obstacle {
  return { why, change, declarable: false, hard: true, loses: false };
}

/** A person who asks for a strategy by name knows. */
function soft(why: string, change: string): Obstacle {
  return { why, change, declarable: false, hard: false, loses: false };
}
