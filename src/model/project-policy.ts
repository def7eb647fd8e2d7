import { NO_BACKUP_POLICY, type BackupPolicy } from './backup-policy.js';
import type { ReadinessSignal } from './readiness.js';
import type { RouterSpec } from './router.js';

/**
 * What the compose file itself says about how a project is changed: its top-level `x-rolling-restart:`. Inputs of a run
 * override it. One place, versioned with the code, the same from a workflow, a shell or Swarm.
 */
export interface ProjectPolicy {
  readonly services: Readonly<Record<string, ServicePolicy>>;
  /** Commands on the host, by `before-PROCEDURE` and `after-PROCEDURE`. */
  readonly hooks?: Readonly<Record<string, string>> | undefined;
}

/** `x-rolling-restart: services: NAME:` */
export interface ServicePolicy {
  /** How new replaces old, where the run's input says `auto`. */
  readonly strategy: 'auto' | 'recreate' | 'hold' | 'rolling' | 'blue-green' | 'canary' | undefined;
  /** What sends requests to the service. */
  readonly router: RouterSpec | undefined;
  /**
   * Volumes, by name, and folders of the host, by where they are mounted, that two containers may open at once; every other
   * writable one counts as exclusive.
   */
  readonly sharedVolumes: readonly string[];
  /** What says that a container is ready, beside its health check or instead of one. */
  readonly readiness: ReadinessSignal | undefined;
  /** How the edge treats the ports; undefined: HTTP when the container answers HTTP. */
  readonly mode: 'http' | 'tcp' | undefined;
  /** The container expects the PROXY protocol's header, and so learns the client's address. */
  readonly proxyProtocol: boolean;
  /** Bounds of strategy `hold`. */
  readonly hold: { readonly maxMs: number; readonly maxQueue: number } | undefined;
  readonly backup: BackupPolicy;
  /** Runs once in a container of a new release before anything is switched. */
  readonly releaseCommand: string | undefined;
}

export const NO_POLICY: ProjectPolicy = { services: {} };

export const NO_SERVICE_POLICY: ServicePolicy = {
  strategy: undefined,
  router: undefined,
  sharedVolumes: [],
  readiness: undefined,
  mode: undefined,
  proxyProtocol: false,
  hold: undefined,
  backup: NO_BACKUP_POLICY,
  releaseCommand: undefined,
};

/** @returns the policy of one service; that of silence where the file says nothing about it */
export function policyOf(policy: ProjectPolicy, service: string): ServicePolicy {
  return policy.services[service] ?? NO_SERVICE_POLICY;
}
