/** A name that the compose files use where people see it. It cannot be kept secret, and hiding it makes text unreadable. */
export interface ComposeName {
  readonly name: string;
  /** What it names, such as `the name of service app`. */
  readonly what: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** The top-level sections, and what an entry of each is called. */
const SECTIONS = {
  services: 'service',
  networks: 'network',
  volumes: 'volume',
  configs: 'config',
  secrets: 'secret',
} as const;

/**
 * Every name that a rendered compose project uses as a key, an image, a path or a host. Values of variables are none of
 * them, and neither is an address that holds credentials.
 */
export function composeNames(document: Fields): readonly ComposeName[] {
  const found = new Map<string, string>();
  const add = (name: unknown, what: string): void => {
    if (typeof name !== 'string' || name === '' || /:\/\/[^/]*@/.test(name)) return;
    if (!found.has(name)) found.set(name, what);
  };
  add(document['name'], 'the name of the project');
  for (const [section, kind] of Object.entries(SECTIONS)) {
    for (const [key, entry] of Object.entries(fieldsOf(document[section]))) {
      add(key, `the name of ${kind} ${key}`);
      const { name, file, environment } = fieldsOf(entry);
      add(name, `the name of ${kind} ${key}`);
      add(file, `a path of ${kind} ${key}`);
      add(environment, `the name of a variable`);
    }
  }
  for (const [key, service] of Object.entries(fieldsOf(document['services']))) {
    for (const { name, what } of namesOfService(key, fieldsOf(service))) add(name, what);
  }
  return [...found].map(([name, what]) => ({ name, what }));
}

interface Candidate {
  readonly name: unknown;
  readonly what: string;
}

function* namesOfService(key: string, service: Fields): Generator<Candidate> {
  const [image, path, host] = [`the image of service ${key}`, `a path of service ${key}`, `a host of service ${key}`];
  const build = fieldsOf(service['build']);
  for (const reference of [service['image'], ...listOf(build['tags'])]) {
    for (const name of imageNames(reference)) yield { name, what: image };
  }
  yield { name: service['container_name'], what: `the container of service ${key}` };
  for (const name of listOf(service['profiles'])) yield { name, what: 'the name of a profile' };
  yield { name: build['target'], what: `a build stage of service ${key}` };
  for (const field of ['hostname', 'domainname']) yield { name: service[field], what: host };
  for (const entry of keysOf(service['extra_hosts'])) yield { name: entry.split(/[=:]/)[0], what: host };
  for (const network of Object.values(fieldsOf(service['networks']))) {
    for (const name of listOf(fieldsOf(network)['aliases'])) yield { name, what: host };
  }
  for (const section of [service['environment'], build['args']]) {
    for (const entry of keysOf(section)) yield { name: entry.split('=')[0], what: 'the name of a variable' };
  }
  for (const section of [service['labels'], build['labels'], fieldsOf(service['deploy'])['labels']]) {
    for (const entry of keysOf(section)) yield { name: entry.split('=')[0], what: 'the name of a label' };
  }
  for (const name of [build['context'], build['dockerfile'], service['working_dir'], ...listOf(service['tmpfs'])]) {
    yield { name, what: path };
  }
  for (const name of Object.values(fieldsOf(build['additional_contexts']))) yield { name, what: path };
  for (const field of ['volumes', 'configs', 'secrets', 'env_file']) {
    for (const entry of listOf(service[field])) {
      const { source, target, path: file } = fieldsOf(entry);
      for (const name of [source, target, file]) yield { name, what: path };
    }
  }
}

/** @returns the reference itself, the repository without tag and digest, and the last part of its path */
function imageNames(reference: unknown): readonly string[] {
  if (typeof reference !== 'string') return [];
  const repository = reference.replace(/@.*$/, '').replace(/:[^:/]*$/, '');
  return [reference, repository, repository.split('/').at(-1) ?? ''];
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];
}

/** The keys of a map, or the entries of a list that stands for one. */
function keysOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.filter((entry) => typeof entry === 'string');
  return Object.keys(fieldsOf(value));
}
