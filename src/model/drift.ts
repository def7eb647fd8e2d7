import type { Release } from './release.js';
import type { ObservedContainer } from './service.js';
import type { Serving } from './serving.js';

/**
 * What somebody changed by hand since the last release was accepted: containers that are not as they were deployed, and
 * files or image names by which the next `docker compose up -d` would put something else in place.
 */
export interface Drift {
  readonly kind: DriftKind;
  /** One sentence without a secret: names of variables, never values. */
  readonly text: string;
}

export type DriftKind =
  | 'unrecorded'
  | 'nothing-runs'
  | 'started'
  | 'state'
  | 'no-requests'
  | 'count'
  | 'image'
  | 'configuration'
  | 'restart-policy'
  | 'name'
  | 'files'
  | 'image-name';

export interface DriftFacts {
  readonly service: string;
  /** Accepted last, by the ledger. */
  readonly live: Release | undefined;
  /** What its definition says, as far as it is known. */
  readonly definition: DefinitionFacts | undefined;
  readonly containers: readonly DriftContainer[];
  /** It was stopped on purpose, and is meant to be. */
  readonly stopped: boolean;
  readonly serving: Serving;
  /** Compose's hash of the live files; undefined when they cannot be read or do not have the service. */
  readonly filesHash: string | undefined;
  /** Identity of the image that the compose file's name names now; undefined when there is none. */
  readonly named: string | undefined;
  /** Releases by the identity of their image, for naming what runs instead. */
  readonly known: readonly Release[];
}

export type DriftContainer = Pick<
  ObservedContainer,
  'name' | 'state' | 'restartPolicy' | 'composeHash' | 'environment'
> & {
  /** Identity of its image. */
  readonly fingerprint: string | undefined;
};

export interface DefinitionFacts {
  readonly restart: string | undefined;
  readonly containerName: string | undefined;
  readonly environment: Readonly<Record<string, string | null>>;
}

/** @returns what differs, what matters most first; empty when everything is as it was deployed */
export function driftOf(facts: DriftFacts): readonly Drift[] {
  const { service, live, containers, stopped } = facts;
  if (live === undefined) {
    return containers.length === 0
      ? []
      : [drift('unrecorded', `${service} runs, and was never deployed from here`), ...servingDrift(facts)];
  }
  const present =
    containers.length === 0 ? absent(facts) : containers.flatMap((one) => containerDrift(facts, live, one));
  const running = containers.filter(({ state }) => state === 'running');
  return [
    ...(stopped && running.length > 0
      ? [drift('started', `${service} was stopped on purpose, and ${names(running)} runs`)]
      : []),
    ...servingDrift(facts),
    ...present,
    ...countDrift(facts, live),
    ...nextUpDrift(facts, live),
  ];
}

function absent({ service, stopped, serving, live }: DriftFacts): readonly Drift[] {
  return stopped || serving.kind === 'not-meant'
    ? []
    : [drift('nothing-runs', `${service} has no container, and release ${live?.id ?? ''} is live`)];
}

/** What it does not serve for; missing containers are told with the release. */
function servingDrift({ serving }: DriftFacts): readonly Drift[] {
  if (serving.kind !== 'not-serving') return [];
  return serving.faults.flatMap(({ kind, text }) => {
    if (kind === 'missing') return [];
    return [drift(kind === 'container' || kind === 'readiness' ? 'state' : 'no-requests', text)];
  });
}

function containerDrift(facts: DriftFacts, live: Release, container: DriftContainer): readonly Drift[] {
  const { definition, stopped, known } = facts;
  const { name, fingerprint, composeHash } = container;
  const found: Drift[] = [];
  if (fingerprint !== live.image.fingerprint) {
    const other = known.findLast(({ image }) => image.fingerprint === fingerprint);
    const what = other === undefined ? 'an image that no release has' : `the image of release ${other.id}`;
    found.push(drift('image', `${name} runs ${what}, not that of release ${live.id}`));
  }
  if (composeHash !== live.composeHash) {
    const changed = changedVariables(definition, container.environment);
    const which = changed.length === 0 ? '' : `: environment ${changed.join(', ')}`;
    found.push(drift('configuration', `${name} has another configuration than release ${live.id}${which}`));
    return found;
  }
  const wanted = definition?.restart?.split(':')[0];
  // A service that is stopped on purpose gets another policy from us, so that Docker does not start it again.
  if (wanted !== undefined && !stopped && normalPolicy(container.restartPolicy) !== normalPolicy(wanted)) {
    found.push(
      drift('restart-policy', `${name} has restart policy ${normalPolicy(container.restartPolicy)}, not ${wanted}`),
    );
  }
  if (definition?.containerName !== undefined && name !== definition.containerName && facts.containers.length === 1) {
    found.push(drift('name', `${name} is to be called ${definition.containerName}`));
  }
  return found;
}

function countDrift({ service, containers, serving }: DriftFacts, live: Release): readonly Drift[] {
  if (containers.length === 0 || serving.kind === 'not-meant' || containers.length === live.replicas) return [];
  return [drift('count', `${service} has ${containers.length} containers, and was deployed with ${live.replicas}`)];
}

/** What plain `docker compose up -d` would do to it. */
function nextUpDrift({ service, filesHash, named }: DriftFacts, live: Release): readonly Drift[] {
  const found: Drift[] = [];
  if (filesHash !== undefined && filesHash !== live.composeHash) {
    found.push(
      drift('files', `the compose files on the host say something else of ${service} than release ${live.id} has`),
    );
  }
  if (named !== undefined && named !== live.image.fingerprint) {
    found.push(drift('image-name', `${live.image.name} names another image than release ${live.id} has`));
  }
  return found;
}

/** Names of variables that the definition sets and the container has otherwise. */
function changedVariables(definition: DefinitionFacts | undefined, environment: readonly string[]): readonly string[] {
  if (definition === undefined) return [];
  const actual = new Map(
    environment.map((line) => {
      const split = line.indexOf('=');
      return split === -1 ? ([line, ''] as const) : ([line.slice(0, split), line.slice(split + 1)] as const);
    }),
  );
  return Object.entries(definition.environment)
    .filter(([name, value]) => value !== null && actual.get(name) !== value.replaceAll('$$', '$'))
    .map(([name]) => name)
    .sort();
}

/** The engine says nothing, or `no`, where there is none. */
function normalPolicy(policy: string): string {
  return policy === '' ? 'no' : policy;
}

function names(containers: readonly DriftContainer[]): string {
  return containers.map(({ name }) => name).join(', ');
}

function drift(kind: DriftKind, text: string): Drift {
  return { kind, text };
}
