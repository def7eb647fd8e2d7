/**
 * Networks and volumes that are there keep the definition they were created with: Compose up to 2.30 never changes one, and
 * a volume holds data. Here the file's definition is compared with what the engine has.
 */

type Values = Readonly<Record<string, unknown>>;

/** A network or volume as the engine has it, or as a file defines it: one entry per attribute, in the words of the file. */
export type Attributes = Readonly<Record<string, string>>;

/** What the engine says of a network or volume. */
export interface EngineResource {
  readonly attributes: Attributes;
  /** Compose writes its hash on networks that it creates again when their definition changes (2.31 and newer). */
  readonly hasComposeHash: boolean;
}

export interface DefinedResource {
  readonly kind: 'network' | 'volume';
  /** What the engine calls it. */
  readonly name: string;
  readonly attributes: Attributes;
}

/** Of Compose and of our own, and of no file. */
const OTHER_LABELS = /^labels\.(?:com\.docker\.compose|rolling-restart)\./;
/** The daemon gives networks these by its own settings: without a word in the file they say nothing. */
const BY_DAEMON = /^(?:driver_opts\.|enable_ipv6$|ipam\.)/;

/** @param document a rendered project reduced to one service @returns the networks and volumes that it defines itself */
export function definedResources(document: Values): readonly DefinedResource[] {
  const project = String(document['name']);
  const section = (kind: DefinedResource['kind']): readonly DefinedResource[] =>
    Object.entries((document[`${kind}s`] ?? {}) as Readonly<Record<string, Values | null>>).flatMap(([key, value]) => {
      const definition = value ?? {};
      if (definition['external'] !== undefined && definition['external'] !== false) return [];
      const name = typeof definition['name'] === 'string' ? definition['name'] : `${project}_${key}`;
      return [{ kind, name, attributes: attributesOf(kind, definition) }];
    });
  return [...section('network'), ...section('volume')];
}

function attributesOf(kind: DefinedResource['kind'], definition: Values): Attributes {
  const flags = kind === 'volume' ? [] : ['internal', 'attachable', 'enable_ipv6'];
  const ipam = (definition['ipam'] ?? {}) as Values;
  return {
    ...flat('driver_opts', definition['driver_opts']),
    ...flat('labels', definition['labels']),
    ...Object.fromEntries(
      ['driver', ...flags].flatMap((key) => (definition[key] === undefined ? [] : [[key, plain(definition[key])]])),
    ),
    ...ipamAttributes(ipam['driver'], (ipam['config'] ?? []) as readonly Values[]),
  };
}

/** @param config of the file or the engine: its keys are the same but for their case */
export function ipamAttributes(driver: unknown, config: readonly Values[]): Attributes {
  const values = ['subnet', 'gateway', 'ip_range'].flatMap((key) => {
    const found = config.flatMap((one) => (typeof one[key] === 'string' && one[key] !== '' ? [one[key]] : []));
    return found.length === 0 ? [] : [[`ipam.config.${key}`, [...found].sort().join(', ')] as const];
  });
  return {
    ...Object.fromEntries(values),
    ...(typeof driver === 'string' && driver !== '' ? { 'ipam.driver': driver } : {}),
  };
}

/** @returns one entry per key of a map, as `labels.KEY` */
export function flat(name: string, map: unknown): Attributes {
  return Object.fromEntries(
    Object.entries((map ?? {}) as Values).map(([key, value]) => [`${name}.${key}`, plain(value)]),
  );
}

/** A `$` is doubled in what Compose renders. */
function plain(value: unknown): string {
  return String(value).replaceAll('$$', '$');
}

const DEFAULTS: Readonly<Record<DefinedResource['kind'], Attributes>> = {
  network: { driver: 'bridge', internal: 'false', attachable: 'false' },
  volume: { driver: 'local' },
};

/**
 * @param before attributes that the definition had when the release that runs was deployed
 * @returns names of the attributes that the engine has otherwise, sorted; never values, which may be secrets
 */
export function otherAttributes(
  { kind, attributes }: DefinedResource,
  actual: Attributes,
  before: Attributes = {},
): readonly string[] {
  const wanted: Attributes = { ...DEFAULTS[kind], ...attributes };
  const names = new Set([...Object.keys(wanted), ...Object.keys(actual)]);
  return [...names]
    .filter((name) => {
      if (OTHER_LABELS.test(name) || wanted[name] === actual[name]) return false;
      if (wanted[name] !== undefined) return !isPart(name, wanted[name], actual[name]);
      return kind === 'volume' || before[name] !== undefined || !BY_DAEMON.test(name);
    })
    .sort();
}

/** The engine adds a gateway, and with IPv6 a subnet, to what a file says. */
function isPart(name: string, wanted: string, actual: string | undefined): boolean {
  if (!name.startsWith('ipam.config.') || actual === undefined) return false;
  const has = new Set(actual.split(', '));
  return wanted.split(', ').every((one) => has.has(one));
}

/**
 * @param options.recreates whether the Compose that is installed creates such a network again
 * @returns one sentence
 */
export function describeKept(
  { kind, name }: Pick<DefinedResource, 'kind' | 'name'>,
  others: readonly string[],
  { recreates }: { readonly recreates: boolean },
): string {
  const what = others.join(', ');
  return recreates
    ? `Compose creates network ${name} again and stops every container on it: ${what}`
    : `${kind} ${name} keeps its old definition until it is created again: ${what}`;
}
