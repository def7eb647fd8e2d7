import { dependenciesOf } from '../../../src/engine/compose-document.js';
import { CONFIG_HASH, NUMBER, ONE_OFF, PROJECT, SERVICE } from '../../../src/engine/observed.js';
import { parseProject } from '../../../src/engine/compose-model.js';
import type { ComposeProject, ServiceDefinition } from '../../../src/model/service.js';
import {
  hashOf,
  IMAGE_LABEL,
  REPLACE_LABEL,
  resourceName,
  section,
  specOf,
  textOf,
  type Document,
  type Origin,
} from './compose-document.js';
import { isRunning, type Container } from './container.js';
import type { DockerWorld } from './docker.js';
import { Refusal } from './faults.js';

export interface Convergence {
  /** As `rendered` makes it. */
  readonly document: Document;
  readonly service: string;
  readonly replicas: number | undefined;
  readonly force: boolean;
  readonly origin: Origin;
  /** Awaited before each call that Compose makes: throws when its process has been ended. */
  readonly step: (what: string) => Promise<void>;
}

/** Makes the networks and volumes of a project that are not there. @throws Refusal for an external one */
export async function makeResources(world: DockerWorld, document: Document, step: Convergence['step']): Promise<void> {
  const project = String(document['name']);
  for (const kind of ['networks', 'volumes'] as const) {
    const word = kind === 'networks' ? 'network' : 'volume';
    for (const [key, value] of Object.entries(section(document, kind))) {
      const name = resourceName(document, kind, key);
      if (kind === 'networks' ? world.networks.find(name) !== undefined : world.volumes.get(name) !== undefined)
        continue;
      if (value?.['external'] === true) {
        throw new Refusal(404, `${word} ${name} declared as external, but could not be found`);
      }
      await step(`create ${word} ${name}`);
      const own = (value?.['labels'] ?? {}) as Readonly<Record<string, string>>;
      const labels = { ...own, [PROJECT]: project, [`com.docker.compose.${word}`]: key };
      if (kind === 'networks') world.networks.create(name, labels, { driver: textOf(value?.['driver'], 'bridge') });
      else world.volumes.ensure(name, labels, { driver: textOf(value?.['driver'], 'local') });
    }
  }
}

/** Makes the containers of a service as the document says, and starts none of them (compose, pkg/compose/convergence.go). */
export async function converge(world: DockerWorld, options: Convergence): Promise<void> {
  const project = parseProject(options.document);
  const service = project.services[options.service];
  if (service === undefined) throw new Refusal(404, `no such service: ${options.service}`);
  const expected = options.replicas ?? service.replicas;
  if (expected > 1 && service.containerName !== undefined) {
    throw new Refusal(400, `can't set container_name and ${service.name} as container name must be unique`);
  }
  const isObsolete = (container: Container): boolean =>
    options.force ||
    container.spec.labels[CONFIG_HASH] !== hashOf(world, options.document, service.name, options.origin.version) ||
    container.spec.labels[IMAGE_LABEL] !== world.images.demand(service.image).id;
  const present = containersOf(world, project.name, service.name).toSorted(
    (one, other) => Number(isObsolete(other)) - Number(isObsolete(one)) || numberOf(one) - numberOf(other),
  );
  const next = Math.max(0, ...present.map(numberOf)) + 1;
  await Promise.all([
    ...present.slice(expected).map((container) => stopAndRemove(world, container, options.step)),
    ...present
      .slice(0, expected)
      .filter(isObsolete)
      .map((container) => recreate(world, project, service, container, options)),
    ...Array.from({ length: Math.max(0, expected - present.length) }, async (_, index) => {
      const name = service.containerName ?? `${project.name}-${service.name}-${next + index}`;
      await options.step(`create ${name}`);
      world.containers.create(name, specOf(world, project, service, next + index, name, options.origin));
    }),
  ]);
}

/** Starts what does not run of a service. */
export async function startAll(world: DockerWorld, { document, service, step }: Convergence): Promise<void> {
  for (const container of containersOf(world, String(document['name']), service)) {
    if (container.state === 'running' || container.state === 'restarting') continue;
    await step(`start ${container.name}`);
    world.containers.start(container.id);
  }
}

/** @returns containers of a service, one-off ones left out */
export function containersOf(world: DockerWorld, project: string, service: string): readonly Container[] {
  return world.containers
    .list()
    .filter(
      ({ spec: { labels } }) =>
        labels[PROJECT] === project && labels[SERVICE] === service && labels[ONE_OFF] === 'False',
    );
}

/** Whether everything that a service waits for is as the document defines it: same hash, same image. */
export function dependenciesAsDefined(world: DockerWorld, { document, service, origin }: Convergence): boolean {
  const project = parseProject(document);
  return dependenciesOf(document, service).every((name) =>
    containersOf(world, project.name, name).every(
      ({ spec: { labels } }) =>
        labels[CONFIG_HASH] === hashOf(world, document, name, origin.version) &&
        labels[IMAGE_LABEL] === world.images.find(project.services[name]?.image ?? '')?.id,
    ),
  );
}

/** The successor is made under another name, with the volumes without a name, before the other one stops. */
async function recreate(
  world: DockerWorld,
  project: ComposeProject,
  service: ServiceDefinition,
  old: Container,
  { origin, step }: Convergence,
): Promise<void> {
  const { name } = old;
  const number = numberOf(old);
  const spec = specOf(world, project, service, number, service.containerName ?? name, origin);
  const inherited = old.spec.mounts.filter(({ name: volume }) => /^[0-9a-f]{64}$/.test(volume ?? ''));
  const successorName = `${old.id.slice(0, 12)}_${name}`;
  await step(`create ${successorName}`);
  const successor = world.containers.create(successorName, {
    ...spec,
    labels: { ...spec.labels, [REPLACE_LABEL]: old.id },
    mounts: [...spec.mounts.filter((mount) => !inherited.some(({ target }) => target === mount.target)), ...inherited],
  });
  await stopAndRemove(world, old, step);
  await step(`rename ${successorName}`);
  world.containers.rename(successor.id, name);
}

async function stopAndRemove(world: DockerWorld, container: Container, step: Convergence['step']): Promise<void> {
  if (isRunning(container) || container.state === 'restarting') {
    await step(`stop ${container.name}`);
    await world.containers.stop(container.id);
  }
  await step(`remove ${container.name}`);
  world.containers.remove(container.id);
}

function numberOf({ spec }: Container): number {
  return Number(spec.labels[NUMBER] ?? '1');
}
