import { omit } from './omit.js';

type Values = Readonly<Record<string, unknown>>;

/** What a container of a release can lean on now, before anything of the change is done. */
export interface Surroundings {
  /** Networks and volumes of the project, by the key in its definition, that are there on the engine. */
  readonly networks: ReadonlySet<string>;
  readonly volumes: ReadonlySet<string>;
  /** Whether the path comes with the wanted commit and is not there yet. */
  readonly comes: (path: string) => boolean;
  /** A path of the host that is there, to stand for those that come. */
  readonly instead: string;
}

/**
 * A definition as it can be tried before the change: created, never started, under another name. What the change itself makes
 * first (networks, volumes, files of the wanted commit) is left out or stood for; what it only finds has to be there.
 * @param definition a compose document reduced to one service
 */
export function tryableDefinition(definition: Values, service: string, surroundings: Surroundings): Values {
  const services = section(definition['services']);
  const own = services[service] ?? {};
  const networks = kept(definition['networks'], surroundings.networks);
  const volumes = kept(definition['volumes'], surroundings.volumes);
  return {
    ...definition,
    services: { ...services, [service]: tryableService(own, { networks, volumes, surroundings }) },
    networks,
    volumes,
    configs: withPresentFiles(definition['configs'], surroundings),
    secrets: withPresentFiles(definition['secrets'], surroundings),
  };
}

interface Kept {
  readonly networks: Readonly<Record<string, Values>>;
  readonly volumes: Readonly<Record<string, Values>>;
  readonly surroundings: Surroundings;
}

/** The container of another service that it shares something with may be another one by then. */
function tryableService(own: Values, { networks, volumes, surroundings }: Kept): Values {
  const rest: Values = omit(own, 'networks', 'volumes', 'depends_on', 'links', 'volumes_from', ...sharing(own));
  const wanted = section(own['networks']);
  const left = Object.entries(wanted).filter(([key]) => networks[key] !== undefined);
  const alone = rest['network_mode'] === undefined && left.length === 0;
  return {
    ...(alone ? { ...omit(rest, 'mac_address'), network_mode: 'none' } : rest),
    ...(left.length === 0 ? {} : { networks: Object.fromEntries(left) }),
    volumes: [...mounts(own).flatMap((mount) => tryableMount(mount, volumes, surroundings)), ...deviceMounts(own)],
  };
}

function sharing(own: Values): readonly string[] {
  return ['network_mode', 'ipc', 'pid', 'uts'].filter((key) => /^(service|container):/.test(textOf(own[key])));
}

/** A volume that is made first has nothing that could be refused but its place, which a tmpfs has as well. */
function tryableMount(mount: Values, volumes: Kept['volumes'], { comes, instead }: Surroundings): readonly Values[] {
  const source = textOf(mount['source']);
  if (mount['type'] === 'bind' && comes(source)) return [{ ...mount, source: instead }];
  const made = mount['type'] === 'volume' && source !== '' && volumes[source] === undefined;
  return made ? [{ type: 'tmpfs', target: mount['target'] }] : [mount];
}

/**
 * The engine looks for a device when it starts the container, and for the source of a mount when it creates it: mounted as
 * well, a device that the host does not have is found.
 */
function deviceMounts(own: Values): readonly Values[] {
  const devices = Array.isArray(own['devices']) ? (own['devices'] as readonly unknown[]) : [];
  return devices.flatMap((device, index) => {
    const written = typeof device === 'string' ? device.split(':')[0] : textOf(section(device)['source'] ?? '');
    if (written?.startsWith('/') !== true) return [];
    const bind = { create_host_path: false };
    return [{ type: 'bind', source: written, target: `/rolling-restart-device-${index}`, read_only: true, bind }];
  });
}

/** External ones stay, whether they are there or not: nobody makes them. */
function kept(all: unknown, present: ReadonlySet<string>): Readonly<Record<string, Values>> {
  return Object.fromEntries(
    Object.entries(section(all)).filter(([key, value]) => isExternal(value) || present.has(key)),
  );
}

function withPresentFiles(all: unknown, { comes, instead }: Surroundings): Values {
  return Object.fromEntries(
    Object.entries(section(all)).map(([key, value]) => [
      key,
      comes(textOf(value['file'])) ? { ...value, file: instead } : value,
    ]),
  );
}

/** What no creation finds, or what is to be known without one. @returns why the container cannot be made, a phrase each */
export function refusals({
  definition,
  service,
  missing,
}: {
  readonly definition: Values;
  readonly service: string;
  /** External networks and volumes that the engine does not have, in words. */
  readonly missing: readonly string[];
}): readonly string[] {
  return [
    ...missing.map((what) => `${what} is external, and the engine does not have it`),
    ...readOnlyRefusals(definition, service),
  ];
}

/**
 * Compose copies a content into the container itself, and the engine copies nothing into a read-only one. Compose 2.26 finds
 * out when the new container is half there; newer ones say so before (docker/compose#12531).
 */
function readOnlyRefusals(definition: Values, service: string): readonly string[] {
  const own = section(definition['services'])[service] ?? {};
  if (own['read_only'] !== true) return [];
  const copied = (['configs', 'secrets'] as const).flatMap((kind) => {
    const objects = section(definition[kind]);
    return references(own[kind]).filter((name) => {
      const object = objects[name];
      return object !== undefined && object['file'] === undefined && !isExternal(object);
    });
  });
  if (copied.length === 0) return [];
  return [`read_only: true, and Compose cannot copy ${copied.join(', ')} (content: or environment:) into it`];
}

/** @returns external networks and volumes of a definition, by their names on the engine */
export function externals(definition: Values): {
  readonly networks: readonly string[];
  readonly volumes: readonly string[];
} {
  const names = (all: unknown): readonly string[] =>
    Object.entries(section(all)).flatMap(([key, value]) => (isExternal(value) ? [nameOf(key, value, undefined)] : []));
  return { networks: names(definition['networks']), volumes: names(definition['volumes']) };
}

/** @returns networks or volumes of a definition that Compose makes, as key and name on the engine */
export function owned(all: unknown, project: string): readonly (readonly [string, string])[] {
  return Object.entries(section(all)).flatMap(([key, value]) =>
    isExternal(value) ? [] : [[key, nameOf(key, value, project)] as const],
  );
}

function nameOf(key: string, value: Values, project: string | undefined): string {
  return textOf(value['name']) || (project === undefined ? key : `${project}_${key}`);
}

function isExternal(value: Values): boolean {
  return value['external'] === true || (typeof value['external'] === 'object' && value['external'] !== null);
}

function references(list: unknown): readonly string[] {
  if (!Array.isArray(list)) return [];
  return list.map((entry) => (typeof entry === 'string' ? entry : textOf(section(entry)['source'])));
}

function mounts(own: Values): readonly Values[] {
  return Array.isArray(own['volumes']) ? (own['volumes'] as readonly Values[]) : [];
}

function section(value: unknown): Readonly<Record<string, Values>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, (one ?? {}) as Values]));
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
