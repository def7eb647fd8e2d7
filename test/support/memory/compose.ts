import { randomBytes } from 'node:crypto';
import { dependenciesOf } from '../../../src/engine/compose-document.js';
import { parseProject } from '../../../src/engine/compose-model.js';
import { templateDocument, withLabels } from '../../../src/engine/compose-template.js';
import { forgetsDependencies } from '../../../src/engine/compose-up.js';
import { ProcedureError } from '../../../src/model/errors.js';
import { helperLabels } from '../../../src/model/own-names.js';
import type { Compose, ComposeTarget } from '../../../src/model/ports/engine.js';
import type { Behavior } from './behavior.js';
import {
  containersOf,
  converge,
  dependenciesAsDefined,
  makeResources,
  startAll,
  type Convergence,
} from './compose-converge.js';
import { hashOf, rendered, servicesOf, type Document, type Origin } from './compose-document.js';
import { composeProcesses, type ComposeProcess } from './compose-process.js';
import type { DockerWorld } from './docker.js';
import { Refusal } from './faults.js';

export interface MemoryComposeOptions {
  /** `2.26.1` unless given. */
  readonly version?: string;
  /** What a build of a service makes; a service that is not named cannot be built. */
  readonly builds?: Readonly<Record<string, Behavior>>;
  /** Images that registries have, by reference. `push` adds to them. */
  readonly registry?: Map<string, Behavior>;
  /** Values of variables as `.env` would give them. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** How long calls without a time limit of their own may take, as in the adapter. */
const QUICK_MS = 60_000;

/** The `Compose` port on a world. A project is given as a document (`ComposeTarget.document`): nothing reads files. */
export function createMemoryCompose(world: DockerWorld, options: MemoryComposeOptions = {}): Compose {
  const { version = '2.26.1', builds = {}, registry = new Map<string, Behavior>(), variables = {} } = options;
  const run = composeProcesses(world);
  const documentOf = (target: ComposeTarget): Document => {
    if (target.document === undefined) throw new Error('Compose in memory reads no files: give it a document');
    return rendered(target.document, target.projectName);
  };
  const originOf = (target: Pick<ComposeTarget, 'files' | 'directory' | 'projectDirectory'>): Origin => ({
    directory: target.projectDirectory ?? target.directory,
    files: target.files,
    version,
  });
  const hashes = (document: Document): Readonly<Record<string, string>> =>
    Object.fromEntries(
      Object.keys(servicesOf(document)).map((service) => [service, hashOf(world, document, service, version)]),
    );
  const create = async (
    process: ComposeProcess,
    document: Document,
    services: readonly string[],
    origin: Origin,
  ): Promise<void> => {
    const all = [
      ...new Set(services.flatMap((service) => [...dependenciesOf(document, service).toReversed(), service])),
    ];
    await makeResources(world, document, process.step);
    for (const service of all) {
      await converge(world, { document, service, replicas: undefined, force: false, origin, step: process.step });
    }
  };

  return {
    version: async () => version,
    place: async (target) => ({
      directory: target.projectDirectory ?? target.directory,
      files: target.files,
      byDefault: target.files.length === 0,
      profiles: [],
      named: target.projectName !== undefined,
    }),
    render: async (target) => parseProject(documentOf(target)),
    hashes: async (target) => hashes(documentOf(target)),
    documentHashes: async (document) => hashes(rendered(document, undefined)),
    variables: async (_target, names) => Object.fromEntries(names.map((name) => [name, variables[name] ?? ''])),
    keepsVolumes: async (hasDependencies) => !hasDependencies || !forgetsDependencies(version),

    async up({ target, service, replicas, forceRecreate, hasDependencies, signal, timeoutMs }) {
      const process = {
        member: 'up',
        title: `docker compose up ${service}`,
        code: 'E_COMPOSE',
        signal,
        timeoutMs,
      } as const;
      await run(process, async ({ step }) => {
        const document = documentOf(target);
        const origin = originOf(target);
        const convergence: Convergence = { document, service, replicas, force: forceRecreate, origin, step };
        if (hasDependencies && forgetsDependencies(version)) requireNamedVolumes(world, convergence);
        await makeResources(world, document, step);
        await converge(world, convergence);
        await startAll(world, convergence);
      });
    },

    async create({ document, services, helper, signal, timeoutMs }) {
      const labels = helper && helperLabels(helper, 'none', world.clock.now());
      const made = rendered(labels === undefined ? document : withLabels(document, services, labels), undefined);
      const title = `docker compose create ${services.join(' ')}`;
      await run({ member: 'create', title, code: 'E_COMPOSE', signal, timeoutMs }, (process) =>
        create(process, made, services, originOf({ files: [], directory: '/' })),
      );
    },

    async makeTemplate({ document, directory, service, image, published, helper, signal }) {
      const scratch = `${String(document['name'])}-rr-${randomBytes(4).toString('hex')}`;
      const made = rendered(
        templateDocument({ document, service, image, published, helper }, scratch, 'none'),
        scratch,
      );
      const title = `docker compose up --no-start ${service}`;
      const process = { member: 'makeTemplate', title, code: 'E_COMPOSE', signal, timeoutMs: QUICK_MS } as const;
      await run(process, async ({ step }) => {
        await makeResources(world, made, step);
        const origin = originOf({ files: [], directory });
        await converge(world, { document: made, service, replicas: undefined, force: false, origin, step });
      });
      const [template] = containersOf(world, scratch, service);
      if (template === undefined) throw new Error(`no template of ${service} was made`);
      return template.id;
    },

    async build({ document, service, onLine, signal, timeoutMs }) {
      const title = `docker compose build ${service}`;
      await run({ member: 'build', title, code: 'E_BUILD', signal, timeoutMs }, async () => {
        const behavior = builds[service];
        if (behavior === undefined) throw new Refusal(1, `failed to solve: nothing is said to be built for ${service}`);
        onLine(`building ${service}`);
        const image = parseProject(rendered(document, undefined)).services[service]?.image;
        if (image === undefined) throw new Refusal(1, `no such service: ${service}`);
        world.addImage(image, behavior);
      });
    },
    async pull(reference, onLine, signal, timeoutMs) {
      await run({ member: 'pull', title: `docker pull ${reference}`, code: 'E_PULL', signal, timeoutMs }, async () => {
        const behavior = registry.get(reference);
        if (behavior === undefined) throw new Refusal(1, `manifest for ${reference} not found: manifest unknown`);
        onLine(`pulling ${reference}`);
        const { id } = world.addImage(reference, behavior);
        const repository = reference.replace(/[:@][^/]*$/, '');
        world.images.add(reference, behavior, new Date(world.clock.now()).toISOString(), [`${repository}@${id}`]);
      });
    },
    async push(reference, onLine, signal, timeoutMs) {
      await run({ member: 'push', title: `docker push ${reference}`, code: 'E_PUSH', signal, timeoutMs }, async () => {
        const image = world.images.find(reference);
        if (image === undefined) throw new Refusal(1, `An image does not exist locally with the tag: ${reference}`);
        onLine(`pushing ${reference}`);
        registry.set(reference, image.behavior);
      });
    },
    registryProblem: async (reference) =>
      registry.has(reference) ? undefined : `the registry does not give ${reference}: manifest unknown`,
  };
}

/** As the adapter's way for a Compose before 2.29.3 (`src/engine/compose-before-2.29.ts`). */
function requireNamedVolumes(world: DockerWorld, convergence: Convergence): void {
  if (dependenciesAsDefined(world, convergence)) return;
  const { document, service, force, origin } = convergence;
  const hash = hashOf(world, document, service, origin.version);
  const keepsData = containersOf(world, String(document['name']), service).some(
    ({ spec }) =>
      (force || spec.labels['com.docker.compose.config-hash'] !== hash) &&
      spec.mounts.some(({ name }) => /^[0-9a-f]{64}$/.test(name ?? '')),
  );
  if (!keepsData) return;
  throw new ProcedureError('E_COMPOSE', `${service} keeps data in a volume without a name`, {
    next: 'Upgrade Docker Compose to 2.29.3 or newer, or give the volume a name. Nothing was changed.',
  });
}
