import { helperLabels } from '../model/own-names.js';
import { randomBytes } from 'node:crypto';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DataPlace } from '../model/backup.js';
import { ProcedureError } from '../model/errors.js';
import type { DataMount, OpenData, VolumeData } from '../model/ports/data.js';
import type { EngineClient } from './client.js';
import { removeContainer, short } from './containers.js';
import { guardFreeze } from './freeze-guard.js';
import { EngineError, unlessStatus } from './failures.js';
import { createOwnContainers } from './own-containers.js';
import { createFromEmptyImage, NO_COPY } from './records.js';

/** Where the container has the places, each in a folder of its name. */
const ROOT = '/data';
/** The engine counts every file of every volume. */
const SIZES_MS = 60_000;
const PAUSE_MS = 30_000;
const PAUSE_ATTEMPTS = 10;
const PAUSE_AGAIN_MS = 200;
const BEGIN_MS = 60_000;
const TOOL_MS = 60_000;
/** For volumes of many files; deleting is bound by the disk. */
const EMPTY_MS = 30 * 60_000;
const WRITE_MS = 6 * 3_600_000;

interface MountAnswer {
  readonly Type: string;
  readonly Name?: string;
  readonly Source: string;
  readonly Destination: string;
  readonly RW: boolean;
}

/** Engine API, SystemDataUsage; -1 where the engine cannot tell. */
interface VolumeAnswer {
  readonly Name: string;
  readonly UsageData?: { readonly Size: number } | null;
}

interface MountedAnswer {
  readonly Id: string;
  readonly Name: string;
  readonly Mounts?: readonly MountAnswer[] | null;
}

/** Reads and writes volumes through the archive API of a container that is created and never started. */
export function createVolumeData(client: EngineClient, run: string): VolumeData {
  const own = createOwnContainers(client, run);
  const inspect = async (id: string): Promise<MountedAnswer | undefined> => {
    const answer = client.getJson(`inspect container ${short(id)}`, `/containers/${id}/json`);
    return (await unlessStatus([404], undefined, answer)) as MountedAnswer | undefined;
  };
  return {
    mountsOf: async (container) => ((await inspect(container))?.Mounts ?? []).map(mountOf),

    async sizes(volumes, signal) {
      const request = { method: 'GET', path: '/system/df', query: { type: 'volume' } } as const;
      const limits = { timeoutMs: SIZES_MS, signal };
      const answer = (await json(await client.open('count what is in its volumes', request, limits))) as {
        readonly Volumes?: readonly VolumeAnswer[] | null;
      };
      const known = (answer.Volumes ?? []).flatMap(({ Name, UsageData }) =>
        volumes.includes(Name) && UsageData && UsageData.Size >= 0 ? [[Name, UsageData.Size] as const] : [],
      );
      return Object.fromEntries(known);
    },

    hasVolume: async (name) => (await volumeAnswer(client, name)) !== undefined,
    folderOf: async (volume) => (await volumeAnswer(client, volume))?.Mountpoint,

    async writersOf(place) {
      const listed = await client.call('list containers that run', (docker, abortSignal) =>
        docker.listContainers({ abortSignal }),
      );
      const found = await Promise.all(listed.map(({ Id }) => inspect(Id)));
      return found.flatMap((one) =>
        one !== undefined && (one.Mounts ?? []).map(mountOf).some((mount) => writes(mount, place))
          ? [{ id: one.Id, name: one.Name.replace(/^\//, '') }]
          : [],
      );
    },

    async pause(container) {
      for (let attempt = 1; ; attempt += 1) {
        try {
          await client.call(
            `pause container ${short(container)}`,
            async (docker, abortSignal) => {
              await docker.getContainer(container).pause({ abortSignal });
            },
            { timeoutMs: PAUSE_MS },
          );
          return;
        } catch (error) {
          if (error instanceof EngineError && /is already paused/i.test(error.message)) return;
          // With cgroup v1 a busy container is not frozen at the first go (runc, fscommon/freezer: it gives up in time).
          const busy = error instanceof EngineError && /unable to freeze/i.test(error.message);
          if (!busy || attempt === PAUSE_ATTEMPTS) throw error;
          await sleep(PAUSE_AGAIN_MS);
        }
      }
    },

    guard: (freeze) => guardFreeze(client, run, freeze),

    async unpause(container) {
      const going = client.call(
        `let container ${short(container)} go on`,
        async (docker, abortSignal) => {
          await docker.getContainer(container).unpause({ abortSignal });
          return true;
        },
        { timeoutMs: PAUSE_MS },
      );
      return going.catch((error: unknown) => {
        if (error instanceof EngineError && /is not paused|no such container/i.test(error.message)) return false;
        throw error;
      });
    },

    open: (project, places) => openPlaces(client, run, project, places),

    async toolAmong(project, images, signal) {
      for (const image of new Set(images)) {
        const has = await own
          .runTool({
            ...TOOL,
            helper: { work: 'image-probe', project },
            image,
            command: ['sh', '-c', 'command -v rm && command -v ls'],
            timeoutMs: TOOL_MS,
            signal,
          })
          .then(({ exitCode }) => exitCode === 0)
          .catch((error: unknown) => {
            // 400 and 404: it has no such program. 500 is what older engines say to it.
            if (error instanceof EngineError) return false;
            throw error;
          });
        if (has) return image;
      }
      return undefined;
    },

    async empty(project, place, tool, signal) {
      if (place.kind === 'volume') await requireVolume(client, place.source);
      const { exitCode, output } = await own.runTool({
        ...TOOL,
        image: tool,
        helper: { work: 'data', project },
        // Without `nocopy` the engine would fill an empty volume from the image.
        binds: [place.kind === 'volume' ? `${place.source}:${ROOT}:nocopy` : `${place.source}:${ROOT}`],
        command: ['sh', '-c', DELETE],
        timeoutMs: EMPTY_MS,
        signal,
      });
      if (exitCode === 0) return;
      throw new EngineError(undefined, `${place.source} could not be emptied: rm ended with exit code ${exitCode}`, {
        next: 'The last lines of what it said are shown with this error.',
        excerpt: [{ title: 'rm', lines: output.trim().split('\n').slice(-10) }],
      });
    },
  };
}

/** With `find`, where there is one, since the names in a large folder are more than one command line takes. */
const DELETE = `cd ${ROOT} && if command -v find >/dev/null; then find . ! -name . -prune -exec rm -rf {} +; else rm -rf -- ..?* .[!.]* *; fi && [ -z "$(ls -A)" ]`;

/** Nothing but what deleting needs. */
const TOOL = { networkMode: 'none', user: '0', binds: [], capabilities: [] } as const;

function mountOf({ Type, Name, Source, Destination, RW }: MountAnswer): DataMount {
  const kind = Type === 'volume' || Type === 'bind' ? Type : 'other';
  return { kind, source: Type === 'volume' ? (Name ?? '') : Source, target: Destination, writable: RW };
}

function writes(mount: DataMount, place: DataPlace): boolean {
  if (!mount.writable || mount.kind !== place.kind) return false;
  if (mount.kind === 'volume') return mount.source === place.source;
  const inside = (inner: string, outer: string): boolean => inner === outer || inner.startsWith(`${outer}/`);
  return inside(place.source, mount.source) || inside(mount.source, place.source);
}

async function openPlaces(
  client: EngineClient,
  run: string,
  project: string,
  places: readonly DataPlace[],
): Promise<OpenData> {
  for (const { kind, source } of places) if (kind === 'volume') await requireVolume(client, source);
  const id = await createFromEmptyImage(client, {
    name: `rolling-restart.${project}.data-${randomBytes(3).toString('hex')}`,
    labels: helperLabels({ work: 'data', project, lifeMs: WRITE_MS }, run, Date.now()),
    mounts: places.map(({ kind, source, name }) => ({
      Type: kind,
      Source: source,
      Target: `${ROOT}/${name}`,
      ...(kind === 'volume' ? { VolumeOptions: NO_COPY } : {}),
    })),
  });
  return {
    async read(place, signal) {
      const what = `read what is in ${place.source}`;
      const request = {
        method: 'GET',
        path: `/containers/${id}/archive`,
        query: { path: `${ROOT}/${place.name}` },
      } as const;
      const response = await client.open(what, request, { timeoutMs: BEGIN_MS, signal });
      if (isFolder(response.headers['x-docker-container-path-stat'])) return response;
      response.destroy();
      throw new ProcedureError('E_GATE', `${place.source} is a file, and only folders are backed up`, {
        next: 'Name the folder that it is in, or leave it out of backup-paths. Nothing was changed.',
      });
    },

    async write(place, archive, signal) {
      const what = `write into ${place.source}`;
      try {
        await client.call(
          what,
          async (docker, abortSignal) => {
            await new Promise<void>((resolve, reject) => {
              archive.once('error', reject);
              // `noOverwriteDirNonDir` is left out: what is unpacked takes the place of whatever has its name.
              docker
                .getContainer(id)
                .putArchive(archive, { path: ROOT, abortSignal })
                .then(() => resolve(), reject);
            });
          },
          { timeoutMs: WRITE_MS, signal },
        );
      } finally {
        archive.destroy();
      }
    },

    close: () => removeContainer(client, id),
  };
}

/** Engine API, ContainerArchive: what the path is, in base64; Go's file mode has this bit for a folder. */
function isFolder(header: string | readonly string[] | undefined): boolean {
  if (typeof header !== 'string') return true;
  const { mode } = JSON.parse(Buffer.from(header, 'base64').toString()) as { readonly mode: number };
  return mode >= 2 ** 31;
}

async function volumeAnswer(client: EngineClient, name: string): Promise<{ readonly Mountpoint: string } | undefined> {
  const looking = client.getJson(`inspect volume ${name}`, `/volumes/${encodeURIComponent(name)}`);
  return (await unlessStatus([404], undefined, looking)) as { readonly Mountpoint: string } | undefined;
}

/** A container would make a volume that is missing, without its labels. */
async function requireVolume(client: EngineClient, name: string): Promise<void> {
  if ((await volumeAnswer(client, name)) !== undefined) return;
  throw new ProcedureError('E_BACKUP', `The engine has no volume ${name}`, {
    next: 'Start the service once, so that Compose makes its volumes. Nothing was changed.',
  });
}
