import { randomBytes } from 'node:crypto';
import { ProcedureError } from '../model/errors.js';
import type { Compose } from '../model/ports/engine.js';
import { composeArgs, NOTHING_NEW, type DockerCli } from './compose-cli.js';
import { documentTarget, type Document } from './compose-render.js';
import { omit } from '../model/omit.js';
import { helperLabels } from '../model/own-names.js';
import { withoutStubNetworks } from '../model/release.js';
import { PROJECT, SERVICE } from './observed.js';

type TemplateOptions = Parameters<Compose['makeTemplate']>[0];

/**
 * One container of a service, created and not started, as Compose makes it: 0.1 s (measured, Compose 2.26.1).
 *
 * Under a project of its own, in which the real one's networks and volumes are external: there Compose has no container
 * to converge, renumber or recreate, and no command of a person sees the template among the project's.
 * @returns its id
 */
export async function makeTemplate(cli: DockerCli, run: string, options: TemplateOptions): Promise<string> {
  const { document, directory, service, signal } = options;
  const scratch = `${String(document['name'])}-rr-${randomBytes(4).toString('hex')}`;
  try {
    await cli.demand({
      args: [
        ...composeArgs({ ...documentTarget(document, directory), projectName: scratch }),
        ...['up', '--no-start', '--no-deps', ...NOTHING_NEW, service],
      ],
      directory,
      input: JSON.stringify(templateDocument(options, scratch, run)),
      signal,
      title: `docker compose up --no-start ${service}`,
      code: 'E_COMPOSE',
      next: 'Compose says below why. Nothing that runs was touched.',
    });
  } catch (error) {
    await removeHalfMade(cli, scratch).catch(() => undefined); // why there is no template matters more
    throw error;
  }
  const [id] = await madeOf(cli, [`${PROJECT}=${scratch}`, `${SERVICE}=${service}`]);
  if (id !== undefined) return id;
  throw new ProcedureError('E_COMPOSE', `Compose made no container of ${service} to copy`, {
    next: 'Check the version of Docker Compose (2.24 or newer); please report this with it.',
  });
}

async function madeOf(cli: DockerCli, labels: readonly string[]): Promise<readonly string[]> {
  const listed = await cli.demand({
    args: ['ps', '--all', '--no-trunc', '--quiet', ...labels.flatMap((label) => ['--filter', `label=${label}`])],
    title: 'docker ps',
    code: 'E_ENGINE',
    next: 'Look whether the Docker engine is well (docker info). Nothing that runs was touched.',
  });
  return listed.split('\n').filter((line) => line !== '');
}

/** A container that Compose could not copy its files into is there all the same. */
async function removeHalfMade(cli: DockerCli, scratch: string): Promise<void> {
  const ids = await madeOf(cli, [`${PROJECT}=${scratch}`]);
  if (ids.length > 0) await cli.run({ args: ['rm', '--force', '--volumes', ...ids], title: 'docker rm' });
}

type Values = Readonly<Record<string, unknown>>;

/**
 * @param document a project reduced to one service (`definitionOf`)
 * @returns the service without what only one container can have, in a project that owns nothing
 */
export function templateDocument(
  {
    document,
    service,
    image,
    published,
    helper,
  }: Pick<TemplateOptions, 'document' | 'service' | 'image' | 'published' | 'helper'>,
  scratch: string,
  run: string,
): Document {
  const services = (document['services'] ?? {}) as Readonly<Record<string, Values>>;
  const { ports, labels, ...rest } = omit(services[service] ?? {}, 'container_name', 'scale', 'build');
  const project = String(document['name']);
  const own: Values = {
    ...rest,
    // Without one, Compose would name the image by the scratch project.
    image,
    labels: { ...(labels as Values | undefined), ...helperLabels({ ...helper, project }, run, Date.now()) },
    // A port that is not published is exposed still, as it would be.
    ...(published ? { ports } : { expose: [...asList(rest['expose']), ...targetsOf(ports)] }),
  };
  return {
    ...document,
    name: scratch,
    services: { ...withoutStubNetworks(services, service), [service]: withoutReplicas(own) },
    networks: external(document['networks'], project),
    volumes: external(document['volumes'], project),
    configs: document['configs'],
    secrets: document['secrets'],
  };
}

function withoutReplicas(service: Values): Values {
  const deploy = service['deploy'] as Values | undefined;
  if (deploy === undefined) return service;
  return { ...service, deploy: { ...deploy, replicas: 1 } };
}

/** @returns the document with these labels on some of its services */
export function withLabels(
  document: Document,
  services: readonly string[],
  labels: Readonly<Record<string, string>>,
): Document {
  const all = (document['services'] ?? {}) as Readonly<Record<string, Values>>;
  const labelled = services.map((name) => {
    const own = all[name]?.['labels'] as Values | undefined;
    return [name, { ...all[name], labels: { ...own, ...labels } }] as const;
  });
  return { ...document, services: { ...all, ...Object.fromEntries(labelled) } };
}

/** A rendered network or volume carries its full name; they are there, since containers of the service are or were. */
function external(section: unknown, project: string): Values {
  return Object.fromEntries(
    Object.entries((section ?? {}) as Readonly<Record<string, Values | null>>).map(([key, value]) => [
      key,
      { name: value?.['name'] ?? `${project}_${key}`, external: true },
    ]),
  );
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function targetsOf(ports: unknown): readonly string[] {
  return asList(ports).flatMap((port) => {
    const { target, protocol } = port as { target?: number; protocol?: string };
    return target === undefined ? [] : [`${target}/${protocol ?? 'tcp'}`];
  });
}
