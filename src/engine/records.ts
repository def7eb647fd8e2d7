import { posix } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { RECORDS_IMAGE, RECORDS_IMAGE_NAME } from '../model/own-names.js';
import type { RecordsApi } from '../model/ports/records.js';
import type { EngineClient } from './client.js';
import { removeContainer, short } from './containers.js';
import { EngineError, unlessStatus } from './failures.js';
import { jsonLines } from './json-lines.js';
import { ARCHIVE_MS, putArchive } from './put-archive.js';
import { EMPTY_TAR, filesInTar, insideVolume, tarWithFiles } from './tar.js';
import { createVolumes } from './volumes.js';

/** An image with nothing in it. A container needs one, also when it is never started. */
const IMAGE_LABEL = 'rolling-restart.image=records';
/** Where the container has the volume. */
const ROOT = '/records';
/**
 * How long "it is not there, make it; the name is taken, look at it" may go on. The engine reserves a name before it
 * registers the container: on a busy machine another one's creation is neither there nor away for hundreds of
 * milliseconds (measured on 26.1.5: 8 rounds without a pause were not enough).
 */
const ENSURE_MS = 30_000;
const ENSURE_PAUSE_MS = [10, 20, 50, 100, 250] as const;
const IMPORT_MS = 60_000;

/** Files and labelled volumes on the engine, through the archive API of a container that is never started. */
export function createRecordsApi(client: EngineClient): RecordsApi {
  return {
    ...createVolumes(client),
    ensureRecordsContainer: (options) => ensureContainer(client, options),
    writeFiles: (container, files) => writeFiles(client, container, files),

    async readFile(container, path) {
      const file = insideVolume(path);
      const files = await readArchive(client, container, file);
      return files.get(posix.basename(file));
    },

    async readTree(container, folder) {
      const inside = insideVolume(folder);
      const files = await readArchive(client, container, inside);
      // Names in the archive begin with the last part of the path that was asked for; the root's is the mount point.
      const above = inside === '.' ? undefined : posix.dirname(inside);
      return new Map(
        [...files].map(([name, content]) => [
          above === undefined ? name.slice(name.indexOf('/') + 1) : posix.join(above, name),
          content,
        ]),
      );
    },

    removeContainer: (id) => removeContainer(client, id),
  };
}

type ContainerOptions = Parameters<RecordsApi['ensureRecordsContainer']>[0];

async function ensureContainer(client: EngineClient, options: ContainerOptions): Promise<string> {
  const endsAt = performance.now() + ENSURE_MS;
  for (let attempt = 0; performance.now() < endsAt; attempt += 1) {
    const existing = await findContainer(client, options);
    if (existing !== undefined) return existing;
    const made = await tryCreate(client, options);
    if (made === 'no image') await importImage(client);
    else if (made === 'name taken') await sleep(ENSURE_PAUSE_MS[attempt] ?? ENSURE_PAUSE_MS.at(-1));
    else return made;
  }
  throw new EngineError(409, `The container ${options.name} cannot be made: others make and remove it all the time`, {
    next: 'Look at docker events for who does.',
  });
}

async function findContainer(client: EngineClient, options: ContainerOptions): Promise<string | undefined> {
  const looking = client.call(`inspect container ${options.name}`, (docker, abortSignal) =>
    docker.getContainer(options.name).inspect({ abortSignal }),
  );
  const found = await unlessStatus([404], undefined, looking);
  if (found === undefined) return undefined;
  if (found.Mounts.some((mount) => mount.Name === options.volume && mount.Destination === ROOT)) return found.Id;
  throw new EngineError(409, `The container ${options.name} is in the way: it does not open ${options.volume}`, {
    next: `See what it is with \`docker inspect ${options.name}\`, and remove or rename it.`,
  });
}

async function tryCreate(client: EngineClient, options: ContainerOptions): Promise<string> {
  const settings: Docker.ContainerCreateOptions = {
    name: options.name,
    Image: RECORDS_IMAGE_NAME,
    Labels: { ...options.labels },
    // The engine wants a command; there is no such program, so that nobody can start it by accident either.
    Cmd: ['never-started'],
    NetworkDisabled: true,
    HostConfig: {
      NetworkMode: 'none',
      Mounts: [{ Type: 'volume', Source: options.volume, Target: ROOT, VolumeOptions: NO_COPY }],
    },
  };
  const creating = client.call(`create container ${options.name}`, async (docker, abortSignal) => {
    const container = await docker.createContainer({ ...settings, abortSignal });
    return container.id;
  });
  return unlessStatus([409], 'name taken', unlessStatus([404], 'no image', creating));
}

/**
 * Creates a container of the image with nothing in it. Without a program it is one that is never started.
 * @returns its id
 */
export async function createFromEmptyImage(
  client: EngineClient,
  { name, labels, mounts, program }: EmptyContainer,
): Promise<string> {
  const settings: Docker.ContainerCreateOptions = {
    ...(name === undefined ? {} : { name }),
    Image: RECORDS_IMAGE_NAME,
    Labels: { ...labels },
    Cmd: ['never-started'],
    NetworkDisabled: true,
    ...(program === undefined ? {} : programSettings(program)),
    HostConfig: {
      NetworkMode: 'none',
      Mounts: [...mounts],
      ...(program === undefined ? {} : programLimits(program)),
    },
  };
  const create = (): Promise<string> =>
    client.call(`create container ${name ?? 'without a name'}`, async (docker, abortSignal) => {
      const container = await docker.createContainer({ ...settings, abortSignal });
      return container.id;
    });
  const made = await unlessStatus([404], undefined, create());
  if (made !== undefined) return made;
  await importImage(client);
  return create();
}

export interface EmptyContainer {
  /** Undefined: the engine gives it one. */
  readonly name: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly mounts: Docker.MountConfig;
  readonly program?: EmptyProgram;
}

/** A program that is put into the container before it starts, and may do as little as a program can. */
export interface EmptyProgram {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly user: string;
  /** Where it is started; the engine makes the folder. */
  readonly directory: string;
  readonly memoryBytes: number;
  readonly processes: number;
  /** Paths that are empty for it. */
  readonly maskedPaths: readonly string[];
}

function programSettings({ command, environment, user, directory }: EmptyProgram): Docker.ContainerCreateOptions {
  return {
    Entrypoint: [...command],
    Cmd: [],
    Env: Object.entries(environment).map(([key, value]) => `${key}=${value}`),
    User: user,
    WorkingDir: directory,
  };
}

function programLimits({ memoryBytes, processes, maskedPaths }: EmptyProgram): Docker.HostConfig {
  return {
    CapDrop: ['ALL'],
    SecurityOpt: ['no-new-privileges'],
    Memory: memoryBytes,
    PidsLimit: processes,
    MaskedPaths: [...maskedPaths],
    // Whatever the engine's own driver is, this one can be read back.
    LogConfig: { Type: 'json-file', Config: {} },
  };
}

/** The volume is not filled from the image's folder. */
export const NO_COPY: Docker.MountConfig[number]['VolumeOptions'] = {
  NoCopy: true,
  Labels: {},
  DriverConfig: { Name: '', Options: {} },
};

/** Two that import at once leave the name to the later one; both images are empty. */
async function importImage(client: EngineClient): Promise<void> {
  const what = `import the empty image ${RECORDS_IMAGE_NAME}`;
  const progress = await client.call(
    what,
    (docker, abortSignal) => {
      const options = {
        repo: RECORDS_IMAGE.repository,
        tag: RECORDS_IMAGE.tag,
        changes: `LABEL ${IMAGE_LABEL}`,
        abortSignal,
      };
      return docker.importImage(Readable.from([EMPTY_TAR]), options);
    },
    { timeoutMs: IMPORT_MS },
  );
  for await (const message of jsonLines(progress)) {
    if (typeof message === 'object' && message !== null && 'error' in message) {
      throw client.broken(what, new Error(String(message.error)));
    }
  }
}

async function writeFiles(client: EngineClient, container: string, files: ReadonlyMap<string, Buffer>): Promise<void> {
  const inside = new Map([...files].map(([path, content]) => [insideVolume(path), content]));
  const archive = await tarWithFiles(inside);
  const what = `write ${[...inside.keys()].join(' and ')} through container ${short(container)}`;
  await putArchive(client, what, { container, folder: ROOT, archive });
}

/** @returns files by their names in the archive; none when there is nothing at the path */
async function readArchive(
  client: EngineClient,
  container: string,
  path: string,
): Promise<ReadonlyMap<string, Buffer>> {
  const what = `read ${path} through container ${short(container)}`;
  const request = {
    method: 'GET',
    path: `/containers/${container}/archive`,
    query: { path: posix.join(ROOT, path) },
  } as const;
  try {
    // The engine locks the container until the archive has been read: no reader sees half a write.
    const response = await client.open(what, request, { signal: AbortSignal.timeout(ARCHIVE_MS) });
    return await filesInTar(response);
  } catch (error) {
    const nothingThere =
      error instanceof EngineError && error.status === 404 && !/no such container/i.test(error.message);
    if (nothingThere) return new Map();
    throw client.broken(what, error);
  }
}
