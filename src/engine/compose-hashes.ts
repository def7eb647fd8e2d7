import type { ComposeTarget } from '../model/ports/engine.js';
import { composeArgs, type DockerCli } from './compose-cli.js';
import { projectContainers } from './compose-observed.js';
import { documentTarget, renderDocument, type Document } from './compose-render.js';

type Values = Readonly<Record<string, unknown>>;

/**
 * Compose's config hash of every service, as it stands on the label of a container that `up` makes from the target.
 *
 * `config --hash` of a person's files is not that hash before Compose 5: it keeps `env_file:` in, which `up` has
 * resolved by then (measured on 2.26.1 and 2.40.3). Of the rendered document it is (measured on 2.26.1, 2.40.3 and
 * 5.6.0 with `$` and quotes in values, env_file, health check, deploy limits, configs, secrets, several networks,
 * labels, container_name, ports, volumes and profiles). Hence two calls of 0.09 s each.
 */
export async function composeHashes(cli: DockerCli, target: ComposeTarget): Promise<Readonly<Record<string, string>>> {
  return documentHashes(cli, await renderDocument(cli, target), target.projectDirectory ?? target.directory);
}

/** The same for a document that was rendered before. */
export async function documentHashes(
  cli: DockerCli,
  document: Document,
  directory: string,
): Promise<Readonly<Record<string, string>>> {
  const resolved = await resolveReferences(cli, document);
  const text = await cli.demand({
    args: [...composeArgs(documentTarget(resolved, directory)), '--profile', '*', 'config', '--hash', '*'],
    directory,
    input: JSON.stringify(resolved),
    title: 'docker compose config --hash',
    code: 'E_COMPOSE',
    next: 'Check the version of Docker Compose (2.24 or newer); please report this with it.',
    outputLimit: Infinity,
  });
  const pairs = text.split('\n').flatMap((line) => {
    const [, service, hash] = /^(\S+) ([0-9a-f]{64})$/.exec(line.trim()) ?? [];
    return service === undefined || hash === undefined ? [] : [[service, hash] as const];
  });
  return Object.fromEntries(pairs);
}

/**
 * `network_mode: service:NAME` (and ipc, pid, volumes_from) is hashed with the id of the container that it stands for:
 * `up` resolves it first (pkg/compose/convergence.go, resolveServiceReferences). Hence the label of such a service
 * changes whenever that container is replaced, as it must: the namespace it lives in is gone.
 */
async function resolveReferences(cli: DockerCli, document: Document): Promise<Document> {
  const services = Object.entries((document['services'] ?? {}) as Readonly<Record<string, Values>>);
  if (!services.some(([, service]) => refersToService(service))) return document;
  const containers = await projectContainers(cli, String(document['name']));
  const idOf = (name: string): string | undefined => containers.find(({ service }) => service === name)?.id;
  return { ...document, services: Object.fromEntries(services.map(([name, one]) => [name, resolve(one, idOf)])) };
}

const SHARED = ['network_mode', 'ipc', 'pid'] as const;

function refersToService(service: Values): boolean {
  return SHARED.some((key) => named(service[key]) !== undefined) || volumesFrom(service).length > 0;
}

function resolve(service: Values, idOf: (name: string) => string | undefined): Values {
  const shared = SHARED.flatMap((key) => {
    const name = named(service[key]);
    const id = name === undefined ? undefined : idOf(name);
    return id === undefined ? [] : [[key, `container:${id}`] as const];
  });
  const volumes = volumesFrom(service).map((entry) => {
    if (entry.startsWith('container:')) return entry;
    const [name = '', ...mode] = entry.split(':');
    const id = idOf(name);
    return id === undefined ? entry : ['container', id, ...mode].join(':');
  });
  return { ...service, ...Object.fromEntries(shared), ...(volumes.length === 0 ? {} : { volumes_from: volumes }) };
}

function named(value: unknown): string | undefined {
  return typeof value === 'string' && value.startsWith('service:') ? value.slice('service:'.length) : undefined;
}

function volumesFrom(service: Values): readonly string[] {
  const value = service['volumes_from'];
  return Array.isArray(value) ? value.filter((entry): entry is string => typeof entry === 'string') : [];
}
