import { posix } from 'node:path';
import { json, text } from 'node:stream/consumers';
import { pack } from 'tar-stream';
import type { OwnContainer, OwnContainers, ToolOptions } from '../model/ports/own-containers.js';
import type { ExecResult } from '../model/ports/engine.js';
import { ProcedureError } from '../model/errors.js';
import { helperLabels } from '../model/own-names.js';
import type { EngineClient, StreamRequest } from './client.js';
import { removeContainer, short } from './containers.js';
import { abortFailure, deadlineFailure, EngineError, unlessStatus } from './failures.js';
import { attachTo } from './logs.js';
import { observe, PROJECT, SERVICE, type ContainerAnswer } from './observed.js';
import { ARCHIVE_MS, putArchive } from './put-archive.js';
import { filesInTar } from './tar.js';
import { createVolumes } from './volumes.js';

const START_MS = 60_000;
/** A command of a tool prints a few lines. */
const OUTPUT_LIMIT = 64 * 1024;

/** Containers of our own: what the managed edge is made of, and the tools that look at the host. */
export function createOwnContainers(client: EngineClient, run: string): OwnContainers {
  const inspect = async (id: string): Promise<ContainerAnswer | undefined> => {
    const answer = client.getJson(`inspect container ${short(id)}`, `/containers/${id}/json`);
    return (await unlessStatus([404], undefined, answer)) as ContainerAnswer | undefined;
  };
  return {
    async findByLabels(labels) {
      const label = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
      const listed = await client.call(`list containers with ${label.join(', ')}`, (docker, abortSignal) =>
        docker.listContainers({ all: true, filters: { label }, abortSignal }),
      );
      const answers = await Promise.all(listed.map(({ Id }) => inspect(Id)));
      return answers.filter((answer) => answer !== undefined).map(ownContainer);
    },

    async putFile(container, path, content) {
      const archive = await tarWithPublicFile(posix.basename(path), content);
      const what = `write ${path} into container ${short(container)}`;
      await putArchive(client, what, { container, folder: posix.dirname(path), archive });
    },

    async readFile(container, path) {
      const what = `read ${path} of container ${short(container)}`;
      const request = { method: 'GET', path: `/containers/${container}/archive`, query: { path } } as const;
      try {
        const response = await client.open(what, request, { signal: AbortSignal.timeout(ARCHIVE_MS) });
        return (await filesInTar(response)).get(posix.basename(path));
      } catch (error) {
        if (error instanceof EngineError && error.status === 404 && !/no such container/i.test(error.message)) {
          return undefined;
        }
        throw client.broken(what, error);
      }
    },

    runTool: (options) => runTool(client, run, options),
    removeVolume: createVolumes(client).removeVolume,

    async removeNetwork(name) {
      const removing = client.call(`remove network ${name}`, async (docker, abortSignal) => {
        await docker.getNetwork(name).remove({ abortSignal });
      });
      await unlessStatus([404], undefined, removing);
    },

    async network(name) {
      const looking = client.getJson(`inspect network ${name}`, `/networks/${encodeURIComponent(name)}`);
      const answer = (await unlessStatus([404], undefined, looking)) as
        { readonly Name: string; readonly EnableIPv6?: boolean } | undefined;
      // Only networks that somebody made have names in their DNS (docs.docker.com/engine/network/drivers/bridge).
      return (
        answer && {
          userDefined: !['bridge', 'host', 'none'].includes(answer.Name),
          ipv6: answer.EnableIPv6 === true,
        }
      );
    },
  };
}

function ownContainer(answer: ContainerAnswer): OwnContainer {
  const { id, name, state, exitCode, hostPorts } = observe(answer);
  const networks = Object.entries(answer.NetworkSettings.Networks ?? {});
  return {
    id,
    name,
    labels: answer.Config.Labels ?? {},
    running: state === 'running',
    exitCode,
    addresses: Object.fromEntries(
      networks.flatMap(([network, one]) => {
        const address = one?.IPAddress || one?.GlobalIPv6Address;
        return address ? [[network, address] as const] : [];
      }),
    ),
    hostPorts,
  };
}

async function tarWithPublicFile(name: string, content: Buffer): Promise<Buffer> {
  const archive = pack();
  archive.entry({ name, uid: 0, gid: 0, mode: 0o644, mtime: new Date() }, content);
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** An image that Compose built has Compose's labels, and a container of it would look like one of the service's. */
const NOT_COMPOSE = { [PROJECT]: '', [SERVICE]: '' } as const;

/** The engine removes it at its end, also when this process is gone by then: its output is read while it is written. */
async function runTool(client: EngineClient, run: string, options: ToolOptions): Promise<ExecResult> {
  const { image, command, timeoutMs, helper } = options;
  const what = `run ${command[0] ?? ''} in a container of its own`;
  const id = await client.call(`create a container to ${what}`, async (docker, abortSignal) => {
    const container = await docker.createContainer({
      Image: image,
      // An image may have an entrypoint that wants to be a program's.
      Entrypoint: [...command],
      Cmd: [],
      User: options.user,
      Labels: { ...NOT_COMPOSE, ...helperLabels({ ...helper, lifeMs: START_MS + timeoutMs }, run, Date.now()) },
      HostConfig: {
        AutoRemove: true,
        NetworkMode: options.networkMode,
        Binds: [...options.binds],
        CapAdd: [...options.capabilities],
        LogConfig: { Type: 'none', Config: {} },
      },
      abortSignal,
    });
    return container.id;
  });
  const late = AbortSignal.timeout(START_MS + timeoutMs);
  const signal = options.signal === undefined ? late : AbortSignal.any([options.signal, late]);
  try {
    const output = await attachTo(client, id, signal);
    // The answer has begun before the start, so that its end is not missed.
    const ending = await client.open(what, post(`/containers/${id}/wait`, { condition: 'next-exit' }), { signal });
    await client.call(
      `start it to ${what}`,
      async (docker, abortSignal) => {
        await docker.getContainer(id).start({ abortSignal });
      },
      { timeoutMs: START_MS, signal },
    );
    const [ended, said] = await Promise.all([json(ending) as Promise<{ readonly StatusCode: number }>, text(output)]);
    return { exitCode: ended.StatusCode, output: said.slice(-OUTPUT_LIMIT) };
  } catch (error) {
    if (late.aborted) throw deadlineFailure(what, timeoutMs);
    if (options.signal?.aborted === true) throw abortFailure(what, options.signal);
    if (error instanceof ProcedureError) throw error;
    throw client.broken(what, error);
  } finally {
    await removeContainer(client, id);
  }
}

const post = (path: string, query: Readonly<Record<string, string>>): StreamRequest => ({
  method: 'POST',
  path,
  query,
});
