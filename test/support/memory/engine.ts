import { CONFIG_HASH, madeFrom, observe, ONE_OFF, PROJECT, SERVICE, VOLUME } from '../../../src/engine/observed.js';
import { PROJECT_LABEL, SERVICE_LABEL } from '../../../src/model/own-names.js';
import type { Engine } from '../../../src/model/ports/engine.js';
import { replicasAmong } from '../../../src/model/replicas.js';
import type { Neighbour } from '../../../src/model/project-owner.js';
import type { ObservedContainer } from '../../../src/model/service.js';
import { flat } from '../../../src/model/kept-definitions.js';
import { writtenFiles } from '../../../src/model/written-files.js';
import { callsTo } from './calls.js';
import { inspectAnswer, isRunning, type Container } from './container.js';
import { createBesideMember } from './beside.js';
import type { DockerWorld } from './docker.js';
import { runProgram } from './exec.js';
import { MEMORY_HOST, Refusal, type Faults } from './faults.js';
import { readLog } from './logs.js';
import { statsMembers } from './stats.js';

const LONG_MS = 60_000;
const STOP_MARGIN_MS = 30_000;

/**
 * The `Engine` port on a world.
 * @param faults of this connection; those of the world unless given
 */
export function createMemoryEngine(world: DockerWorld, faults: Faults = world.faults): Engine {
  const { containers, images, networks, volumes, clock } = world;
  const call = callsTo(world, faults);
  const answerOf = (container: Container) =>
    inspectAnswer(container, clock.monotonic(), clock.now() - clock.monotonic());
  const seen = (container: Container): ObservedContainer => observe(answerOf(container));
  const nameOf = (id: string): string => containers.find(id)?.name ?? id;
  const graceMs = (id: string): number => {
    const graceS = containers.find(id)?.spec.graceS ?? 10;
    return (graceS < 0 ? 600 : graceS) * 1_000 + STOP_MARGIN_MS;
  };
  const listed = async (member: string, project: string, service?: string): Promise<readonly ObservedContainer[]> =>
    (await call({ member, what: `list containers of ${project}`, target: project }, () =>
      containers
        .list()
        .filter(({ spec: { labels } }) => labels[PROJECT] === project && labels[ONE_OFF] === 'False')
        .filter(({ spec: { labels } }) => service === undefined || labels[SERVICE] === service)
        .map(seen)
        .sort(byServiceAndNumber),
    )) ?? [];

  return {
    ...createBesideMember(world, call),
    ...statsMembers(world, call),

    facts: async () => {
      await call({ member: 'facts', what: 'describe itself' }, () => undefined);
      return FACTS;
    },
    containers: async (project, service) => replicasAmong(await listed('containers', project, service)).replicas,
    leftovers: async (project, service) => replicasAmong(await listed('leftovers', project, service)).leftovers,
    container: (id) =>
      call({ member: 'container', what: `inspect container ${id}`, target: nameOf(id), fine: [404] }, () =>
        seen(containers.demand(id)),
      ),
    inspectContainer: (id) =>
      call({ member: 'inspectContainer', what: `inspect container ${id}`, target: nameOf(id) }, () =>
        answerOf(containers.demand(id)),
      ),

    async stopContainer(id, signal) {
      const options = { what: `stop container ${id}`, target: nameOf(id), timeoutMs: graceMs(id), signal };
      await call({ member: 'stopContainer', ...options, fine: [404] }, () => containers.stop(id));
    },
    async killContainer(id, unixSignal) {
      const options = { what: `send ${unixSignal} to container ${id}`, target: nameOf(id), timeoutMs: STOP_MARGIN_MS };
      await call({ member: 'killContainer', ...options, fine: [404, 409] }, () => containers.kill(id, unixSignal));
    },
    async startContainer(id) {
      const options = { what: `start container ${id}`, target: nameOf(id), timeoutMs: LONG_MS };
      await call({ member: 'startContainer', ...options }, () => containers.start(id));
    },
    async restartContainer(id, signal) {
      const options = { what: `restart container ${id}`, target: nameOf(id), timeoutMs: graceMs(id) + LONG_MS, signal };
      await call({ member: 'restartContainer', ...options }, () => containers.restart(id));
    },
    async removeContainer(id, withVolumes) {
      const options = { what: `remove container ${id}`, target: nameOf(id), timeoutMs: LONG_MS, fine: [404] };
      await call({ member: 'removeContainer', ...options }, () => containers.remove(id, withVolumes !== undefined));
    },
    async setRestartPolicy(id, policy) {
      const what = `set the restart policy of container ${id} to ${policy}`;
      await call({ member: 'setRestartPolicy', what, target: nameOf(id), fine: [404] }, () => {
        const container = containers.demand(id);
        container.spec = { ...container.spec, restart: { name: policy, maximum: 0 } };
      });
    },

    async removeNetworks(project) {
      const stay: string[] = [];
      for (const { id, name, labels } of networks.list()) {
        if (labels[PROJECT] !== project) continue;
        await call({ member: 'removeNetworks', what: `remove network ${name}`, target: name }, () => {
          if (isInUse(containers.list(), id)) stay.push(name);
          else networks.remove(name);
        });
      }
      return stay;
    },
    resource: ({ kind, name }) =>
      call({ member: 'resource', what: `inspect ${kind} ${name}`, target: name, fine: [404] }, () => {
        const found = kind === 'volume' ? volumes.get(name) : networks.find(name);
        if (found === undefined) throw new Refusal(404, `no such ${kind}: ${name}`);
        const byDefault = kind === 'volume' ? {} : { internal: 'false', attachable: 'false', enable_ipv6: 'false' };
        return {
          hasComposeHash: found.labels[CONFIG_HASH] !== undefined,
          attributes: { ...byDefault, ...found.attributes, ...flat('labels', found.labels) },
        };
      }),
    neighbours: async () =>
      (await call({ member: 'neighbours', what: 'list all containers' }, () =>
        containers
          .list()
          .filter(({ spec: { labels } }) => labels[ONE_OFF] !== 'True')
          .map(neighbour),
      )) ?? [],
    volumeOwners: async () => {
      await call({ member: 'volumeOwners', what: 'list all volumes' }, () => undefined);
      return new Map(
        volumes.list().map(({ name, labels }) => [name, { project: labels[PROJECT], key: labels[VOLUME] }]),
      );
    },
    viewOfHost: () => missing('viewOfHost'),

    publishers: async (port) =>
      (await call({ member: 'publishers', what: `list containers that publish port ${port}` }, () =>
        containers
          .list()
          .filter(({ hostPorts }) =>
            hostPorts.some(({ published, protocol }) => published === port && protocol === 'tcp'),
          )
          .map(({ id, name, spec: { labels } }) => ({
            id,
            name,
            project: labels[PROJECT_LABEL] ?? labels[PROJECT],
            service: labels[SERVICE_LABEL] ?? labels[SERVICE],
          })),
      )) ?? [],
    borrowers: async (of, project) =>
      (await call({ member: 'borrowers', what: 'list containers that run' }, () =>
        containers
          .list()
          .filter((one) => isRunning(one) && !of.some(({ id }) => id === one.id))
          .flatMap((one) =>
            seen(one)
              .borrows.filter(({ from }) => of.some(({ id, name }) => from === name || id.startsWith(from)))
              .map(({ what }) => ({
                container: one.name,
                service: one.spec.labels[PROJECT] === project ? one.spec.labels[SERVICE] : undefined,
                what,
              })),
          ),
      )) ?? [],
    top: async (id) =>
      (await call({ member: 'top', what: `list processes of container ${id}`, target: nameOf(id), fine: [404] }, () =>
        isRunning(containers.demand(id)) ? ['PID  STAT  COMMAND', '1    S     act'] : [],
      )) ?? [],
    readFile: (id, path) =>
      call({ member: 'readFile', what: `read ${path} of container ${id}`, target: nameOf(id), fine: [404] }, () =>
        containers.find(id)?.files.get(path),
      ),
    writtenFiles: async (id) =>
      (await call({ member: 'writtenFiles', what: `list changed files of container ${id}`, target: nameOf(id) }, () => {
        const { written, image, spec } = containers.demand(id);
        const own = image.behavior.files ?? {};
        return writtenFiles(
          [...written].map((path) => ({ path, kind: path in own ? 0 : 1 })),
          spec.mounts.map(({ target }) => target),
        );
      })) ?? [],

    image: (reference) =>
      call({ member: 'image', what: `inspect image ${reference}`, target: reference, fine: [404] }, () =>
        images.facts(images.demand(reference)),
      ),
    async tagImage(image, tag) {
      await call({ member: 'tagImage', what: `tag image ${image} as ${tag}`, target: tag }, () =>
        images.tag(image, tag),
      );
    },
    async untagImage(tag) {
      const usedBy = (image: string): string | undefined => containers.list().find((one) => one.image.id === image)?.id;
      await call({ member: 'untagImage', what: `take the image name ${tag} away`, target: tag, fine: [404, 409] }, () =>
        images.untag(tag, usedBy),
      );
    },
    tagsOf: async (repository) =>
      (await call({ member: 'tagsOf', what: `list tags of ${repository}`, target: repository }, () =>
        images.below(repository),
      )) ?? [],

    async logs(id, options) {
      const what = `read the log of container ${id}`;
      const stream = await call({ member: 'logs', what, target: nameOf(id), signal: options.signal }, () =>
        readLog(containers.demand(id), options, what),
      );
      if (stream === undefined) throw new Error(what);
      return stream;
    },
    events: (project, signal) => world.events.listen(project, signal),
    exec: (id, command, options) => runProgram(world, call, id, command, options),
  };
}

const FACTS = {
  id: 'memory',
  name: 'memory',
  version: '26.1.5',
  apiVersion: '1.45',
  rootDirectory: '/var/lib/docker',
  operatingSystem: 'none',
  containerdStore: false,
  endpoint: MEMORY_HOST,
  here: true,
} as const;

export function missing(member: string): never {
  throw new Error(`${member} is not part of the engine in memory: no test has needed it`);
}

function isInUse(all: readonly Container[], network: string): boolean {
  return all.some(({ endpoints }) =>
    [...endpoints.values()].some((endpoint) => endpoint.network === network && endpoint.address !== undefined),
  );
}

function byServiceAndNumber(one: ObservedContainer, other: ObservedContainer): number {
  if (one.service !== other.service) return one.service < other.service ? -1 : 1;
  return one.number - other.number || (one.createdAt < other.createdAt ? -1 : 1);
}

function neighbour({ name, spec, hostPorts }: Container): Neighbour {
  const { labels } = spec;
  return {
    name,
    project: labels[PROJECT],
    worksFor: labels[PROJECT_LABEL],
    service: labels[SERVICE],
    ...madeFrom(labels),
    image: spec.image,
    ports: [...new Set(hostPorts.map(({ published, protocol }) => `${published}/${protocol}`))],
    volumes: spec.mounts.flatMap((mount) =>
      mount.type === 'volume' && mount.name !== undefined ? [{ name: mount.name, target: mount.target }] : [],
    ),
  };
}
