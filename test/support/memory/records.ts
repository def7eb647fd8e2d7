import { RECORDS_IMAGE_NAME } from '../../../src/model/own-names.js';
import type { RecordsApi } from '../../../src/model/ports/records.js';
import { callsTo } from './calls.js';
import { BARE, type Container } from './container.js';
import type { DockerWorld } from './docker.js';
import { Refusal, type Faults } from './faults.js';

/** Where the container has the volume, as the adapter's has it. */
const ROOT = '/records';

/** The `RecordsApi` port on a world: labelled volumes, and files in one that a container opens. */
export function createMemoryRecords(world: DockerWorld, faults: Faults = world.faults): RecordsApi {
  const { volumes, containers } = world;
  const call = callsTo(world, faults);
  /** @returns the files of the volume that a container opens @throws Refusal when the container is gone */
  const opened = (container: string): Map<string, Buffer> => {
    const mount = containers.demand(container).spec.mounts.find(({ target }) => target === ROOT);
    return volumes.ensure(mount?.name ?? '').files;
  };
  const userOf = (volume: string): Container | undefined =>
    containers.list().find(({ spec }) => spec.mounts.some(({ name }) => name === volume));

  return {
    async createVolume(name, labels) {
      const made = await call({ member: 'createVolume', what: `create volume ${name}`, target: name }, () =>
        volumes.ensure(name, labels),
      );
      return made?.labels ?? {};
    },
    async listVolumes(label) {
      const [key = '', value] = label.split('=');
      const listed = await call({ member: 'listVolumes', what: `list volumes with ${label}`, target: label }, () =>
        volumes.list().filter(({ labels }) => (value === undefined ? key in labels : labels[key] === value)),
      );
      return (listed ?? []).map(({ name, labels }) => ({ name, labels }));
    },
    async removeVolume(name) {
      await call({ member: 'removeVolume', what: `remove volume ${name}`, target: name, fine: [404] }, () => {
        const user = userOf(name);
        if (user !== undefined) throw new Refusal(409, `remove ${name}: volume is in use - [${user.id}]`);
        volumes.remove(name);
      });
    },
    async ensureRecordsContainer({ name, volume, labels }) {
      const what = `create container ${name}`;
      const id = await call({ member: 'ensureRecordsContainer', what, target: name }, () => {
        const found = containers.find(name);
        if (found !== undefined) {
          if (found.spec.mounts.some((mount) => mount.name === volume && mount.target === ROOT)) return found.id;
          throw new Refusal(409, `The container ${name} is in the way: it does not open ${volume}`);
        }
        if (world.images.find(RECORDS_IMAGE_NAME) === undefined)
          world.addImage(RECORDS_IMAGE_NAME, { build: 'records' });
        const mounts = [{ type: 'volume', name: volume, target: ROOT }] as const;
        return containers.create(name, { ...BARE, image: RECORDS_IMAGE_NAME, labels, mounts }).id;
      });
      if (id === undefined) throw new Error(what);
      return id;
    },
    async writeFiles(container, files) {
      const target = [...files.keys()].join(' and ');
      await call({ member: 'writeFiles', what: `write files through container ${container}`, target }, () => {
        const all = opened(container);
        for (const [path, content] of files) all.set(path, content);
      });
    },
    readFile: (container, path) =>
      call({ member: 'readFile', what: `read files through container ${container}`, target: path }, () =>
        opened(container).get(path),
      ),
    async readTree(container, folder) {
      const read = { member: 'readTree', what: `read files through container ${container}`, target: folder };
      const files = await call(read, () => [...opened(container)]);
      return new Map((files ?? []).filter(([path]) => folder === '' || path.startsWith(`${folder}/`)));
    },
    async removeContainer(id) {
      await call({ member: 'removeContainer', what: `remove container ${id}`, target: id, fine: [404] }, () =>
        containers.remove(id),
      );
    },
  };
}
