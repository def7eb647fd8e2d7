import type { ObservedContainer, ServiceDefinition, UpdateConfig } from '../../src/model/service.js';
import type { Keeping } from '../../src/strategies/losses.js';

/** A service that does nothing special, for tables of decisions: each row says what is special. */
export const SILENT: UpdateConfig = {
  parallelism: undefined,
  delayMs: undefined,
  order: undefined,
  failureAction: undefined,
  monitorMs: undefined,
  maxFailureRatio: undefined,
};

export function container(id: string, parts: Partial<ObservedContainer> = {}): ObservedContainer {
  return {
    id,
    name: `roma-${id}`,
    service: 'roma',
    number: 1,
    state: 'running',
    health: 'healthy',
    healthLog: [],
    healthCheck: undefined,
    exitCode: 0,
    oomKilled: false,
    restartCount: 0,
    restartPolicy: 'unless-stopped',
    createdAt: '',
    startedAt: '',
    finishedAt: '',
    imageId: '',
    imageName: '',
    composeHash: '',
    environment: [],
    addresses: [],
    networks: {},
    exposedPorts: [],
    hostPorts: [],
    networkMode: 'roma_default',
    publishes: false,
    boundPorts: [],
    madeFrom: { directory: '/srv/app', files: [] },
    anonymousVolumes: [],
    borrows: [],
    ...parts,
  };
}

export function definitionWith(parts: Partial<ServiceDefinition> = {}): ServiceDefinition {
  return {
    name: 'roma',
    image: 'roma',
    containerName: undefined,
    build: undefined,
    environment: {},
    dependsOn: [],
    healthCheck: {
      test: ['CMD', 'true'],
      intervalMs: 1,
      timeoutMs: 1,
      startPeriodMs: 0,
      startIntervalMs: 1,
      retries: 1,
    },
    mounts: [],
    ports: [],
    configs: [],
    secrets: [],
    replicas: 1,
    restart: 'no',
    profiles: [],
    networkMode: undefined,
    stopGraceMs: 10_000,
    update: SILENT,
    rollback: SILENT,
    raw: {},
    ...parts,
  };
}

/** What a service has to keep that has nothing to lose but what its definition and its containers say. */
export function keepingWith(
  definition: ServiceDefinition,
  observed: readonly ObservedContainer[],
  parts: Partial<Keeping> = {},
): Keeping {
  return {
    definition,
    observed,
    imageVolumes: [],
    lentVolumes: [],
    filledTargets: [],
    inlineFiles: [],
    edgePorts: undefined,
    borrowers: [],
    composeKeepsVolumes: true,
    removedFirst: false,
    ...parts,
  };
}
