import type { ReadinessSignal } from './readiness.js';
import type { RouterSpec } from './router.js';

/**
 * What the compose file itself says about how a project is changed: its top-level `x-rolling-restart:`. Inputs of a run
 * override it. One place, versioned with the code, the same from a workflow, a shell or Swarm.
 */
export interface ProjectPolicy {
  readonly services: Readonly<Record<string, ServicePolicy>>;
}

/** `x-rolling-restart: services: NAME:` */
export interface ServicePolicy {
  /** How new replaces old, where the run's input says `auto`. */
  readonly strategy: 'auto' | 'recreate' | 'hold' | 'rolling' | 'blue-green' | 'canary' | undefined;
  /** What sends requests to the service. */
  readonly router: RouterSpec | undefined;
  /** Volumes that two containers may open at once; every other writable one counts as exclusive. */
  readonly sharedVolumes: readonly string[];
  /** What says that a container is ready, beside its health check or instead of one. */
  readonly readiness: ReadinessSignal | undefined;
}

export const NO_POLICY: ProjectPolicy = { services: {} };

export const NO_SERVICE_POLICY: ServicePolicy = {
  strategy: undefined,
  router: undefined,
  sharedVolumes: [],
  readiness: undefined,
};

/** @returns the policy of one service; that of silence where the file says nothing about it */
export function policyOf(policy: ProjectPolicy, service: string): ServicePolicy {
  return policy.services[service] ?? NO_SERVICE_POLICY;
}
