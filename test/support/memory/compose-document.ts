import { dependenciesOf, imageNameOf } from '../../../src/engine/compose-document.js';
import { forgetsDependencies } from '../../../src/engine/compose-up.js';
import { CONFIG_HASH, DIRECTORY, FILES, NUMBER, ONE_OFF, PROJECT, SERVICE } from '../../../src/engine/observed.js';
import { canonicalJson } from '../../../src/model/canonical.js';
import { omit } from '../../../src/model/omit.js';
import type { ComposeProject, ServiceDefinition } from '../../../src/model/service.js';
import { HEALTH_CHECK } from './behavior.js';
import type { ContainerSpec, MountSpec, PortSpec } from './container.js';
import type { DockerWorld } from './docker.js';
import { digestOf } from './ids.js';

type Values = Readonly<Record<string, unknown>>;
export type Document = Values;

/** What the labels of a container say about the files that it was made from. */
export interface Origin {
  readonly directory: string;
  readonly files: readonly string[];
  readonly version: string;
}

export const IMAGE_LABEL = 'com.docker.compose.image';
/** On a container that replaces another: the other's id. */
export const REPLACE_LABEL = 'com.docker.compose.replace';

/** @returns the document with what Compose adds to every project: names, and the default network */
export function rendered(document: Document, projectName: string | undefined): Document {
  const name = projectName ?? String(document['name']);
  const services = Object.entries(servicesOf(document)).map(([key, service]) => {
    const own = service['networks'] !== undefined || service['network_mode'] !== undefined;
    return [key, own ? service : { ...service, networks: { default: null } }] as const;
  });
  const needsDefault = services.some(([, { networks }]) => Object.hasOwn(networks ?? {}, 'default'));
  const networks = { ...(needsDefault ? { default: null } : {}), ...section(document, 'networks') };
  return {
    ...document,
    name,
    services: Object.fromEntries(services),
    ...(Object.keys(networks).length === 0 ? {} : { networks: named(networks, name) }),
    ...(document['volumes'] === undefined ? {} : { volumes: named(section(document, 'volumes'), name) }),
  };
}

function named(all: Readonly<Record<string, Values | null>>, project: string): Values {
  return Object.fromEntries(
    Object.entries(all).map(([key, value]) => [key, { ...value, name: value?.['name'] ?? `${project}_${key}` }]),
  );
}

export function servicesOf(document: Document): Readonly<Record<string, Values>> {
  return (document['services'] ?? {}) as Readonly<Record<string, Values>>;
}

/** `networks:` or `volumes:` of the top. */
export function section(document: Document, kind: 'networks' | 'volumes'): Readonly<Record<string, Values | null>> {
  return (document[kind] ?? {}) as Readonly<Record<string, Values | null>>;
}

/** @returns what the engine calls a network or volume of the document */
export function resourceName(document: Document, kind: 'networks' | 'volumes', key: string): string {
  return textOf(section(document, kind)[key]?.['name'], `${String(document['name'])}_${key}`);
}

export function textOf(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise;
}

/**
 * Compose's config hash, of what Compose hashes: without build, scale and replicas, and since 2.29.3 without dependencies. A
 * service of the project whose namespace is shared is hashed by its container.
 */
export function hashOf(world: DockerWorld, document: Document, service: string, version: string): string {
  const definition = servicesOf(document)[service] ?? {};
  const { deploy } = definition;
  const beside = forgetsDependencies(version) ? [] : ['depends_on', 'profiles'];
  const rest = omit(definition, 'deploy', 'build', 'pull_policy', 'scale', ...beside);
  const shared = ['network_mode', 'ipc', 'pid'].flatMap((key) => {
    const id = shares(world, document, definition[key]);
    return id === undefined ? [] : [[key, `container:${id}`] as const];
  });
  const replicated = deploy === undefined || deploy === null ? {} : { deploy: omit(deploy as Values, 'replicas') };
  return digestOf(canonicalJson({ ...rest, ...replicated, ...Object.fromEntries(shared) }));
}

function shares(world: DockerWorld, document: Document, value: unknown): string | undefined {
  const name = typeof value === 'string' && value.startsWith('service:') ? value.slice('service:'.length) : undefined;
  if (name === undefined) return undefined;
  return world.containers
    .list()
    .find(({ spec: { labels } }) => labels[PROJECT] === document['name'] && labels[SERVICE] === name)?.id;
}

/** @returns what Compose creates a container of a service from */
export function specOf(
  world: DockerWorld,
  project: ComposeProject,
  service: ServiceDefinition,
  number: number,
  name: string,
  origin: Origin,
): ContainerSpec {
  const { document } = project;
  const image = imageNameOf(document, service.name);
  const networks = Object.entries((service.raw['networks'] ?? {}) as Readonly<Record<string, Values | null>>).map(
    ([key, settings]) => {
      const aliases = (settings?.['aliases'] ?? []) as readonly string[];
      return [resourceName(document, 'networks', key), [name, service.name, ...aliases]] as const;
    },
  );
  const mode = (key: string): string => {
    const value = service.raw[key];
    const id = shares(world, document, value);
    return id === undefined ? textOf(value, '') : `container:${id}`;
  };
  const found = world.images.demand(image);
  return {
    image,
    labels: {
      ...((service.raw['labels'] ?? {}) as Readonly<Record<string, string>>),
      [PROJECT]: project.name,
      [SERVICE]: service.name,
      [NUMBER]: String(number),
      [ONE_OFF]: 'False',
      [CONFIG_HASH]: hashOf(world, document, service.name, origin.version),
      [IMAGE_LABEL]: found.id,
      [DIRECTORY]: origin.directory,
      [FILES]: origin.files.join(','),
      'com.docker.compose.version': origin.version,
      'com.docker.compose.depends_on': dependenciesOf(document, service.name).join(','),
    },
    environment: Object.entries(service.environment).flatMap(([key, value]) =>
      value === null ? [] : [`${key}=${value}`],
    ),
    healthCheck: service.healthCheck ?? checkOfImage(found.behavior),
    restart: restartOf(service.restart),
    graceS: service.raw['stop_grace_period'] === undefined ? undefined : service.stopGraceMs / 1_000,
    ports: service.ports.map(portSpec),
    exposed: [
      ...service.ports.map(({ target, protocol }) => `${target}/${protocol}`),
      ...((service.raw['expose'] ?? []) as readonly string[]).map((port) =>
        port.includes('/') ? port : `${port}/tcp`,
      ),
    ],
    networkMode: service.raw['network_mode'] === undefined ? (networks[0]?.[0] ?? 'none') : mode('network_mode'),
    networks: Object.fromEntries(networks),
    mounts: service.mounts.flatMap((mount) => mountSpec(project, mount)),
    pidMode: mode('pid'),
    ipcMode: mode('ipc') || 'private',
    volumesFrom: [],
  };
}

function checkOfImage({ readyAfterMs }: { readonly readyAfterMs?: number | 'never' }): ContainerSpec['healthCheck'] {
  if (readyAfterMs === undefined) return undefined;
  return { test: ['CMD', 'ready'], ...HEALTH_CHECK, startPeriodMs: 0, startIntervalMs: 5_000 };
}

function restartOf(written: string): ContainerSpec['restart'] {
  const [name = 'no', maximum] = written.split(':');
  return { name, maximum: Number(maximum ?? 0) };
}

function portSpec({ target, published, protocol, hostIp }: ServiceDefinition['ports'][number]): PortSpec {
  const port = published === undefined || published === '' ? undefined : Number(published);
  return { target, protocol, published: port, ip: hostIp ?? '' };
}

function mountSpec(project: ComposeProject, mount: ServiceDefinition['mounts'][number]): readonly MountSpec[] {
  const { type, source, target } = mount;
  if (type === 'other') return [];
  if (type !== 'volume' || source === undefined || source === '') return [{ type, name: undefined, target }];
  return [{ type, name: resourceName(project.document, 'volumes', source), target }];
}
