import Docker from 'dockerode';
import { extract, pack } from 'tar-stream';
import { ProcedureError } from '../../src/model/errors.js';
import type { RecordsApi } from '../../src/model/ports/records.js';

const ROOT = '/records';
const wrap = (error: unknown): never => {
  throw new ProcedureError('E_ENGINE', error instanceof Error ? error.message : String(error), {
    next: 'x',
    cause: error,
  });
};
const gone = (error: unknown): boolean => (error as { statusCode?: number }).statusCode === 404;

/** TEMPORARY: until src/engine has the real one. */
export function engineRecords(): RecordsApi {
  const docker = new Docker();
  const tree = async (container: string, path: string): Promise<Map<string, Buffer>> => {
    const files = new Map<string, Buffer>();
    let stream: NodeJS.ReadableStream;
    try {
      stream = await docker.getContainer(container).getArchive({ path: `${ROOT}/${path}` });
    } catch (error) {
      if (gone(error)) return files;
      return wrap(error);
    }
    const reader = extract();
    stream.pipe(reader);
    const base = path.includes('/') ? path.slice(0, path.lastIndexOf('/') + 1) : '';
    for await (const entry of reader) {
      const chunks: Buffer[] = [];
      for await (const chunk of entry) chunks.push(chunk as Buffer);
      if (entry.header.type === 'file') files.set(base + entry.header.name, Buffer.concat(chunks));
    }
    return files;
  };
  return {
    async createVolume(name, labels) {
      await docker.createVolume({ Name: name, Labels: { ...labels } }).catch(wrap);
      return (await docker.getVolume(name).inspect().catch(wrap)).Labels;
    },
    async listVolumes(label) {
      const { Volumes } = await docker.listVolumes({ filters: { label: [label] } }).catch(wrap);
      return Volumes.map((v) => ({ name: v.Name, labels: v.Labels }));
    },
    async removeVolume(name) {
      await docker
        .getVolume(name)
        .remove()
        .catch((e: unknown) => (gone(e) ? undefined : wrap(e)));
    },
    async ensureRecordsContainer({ name, volume, labels }) {
      for (let i = 0; ; i += 1) {
        try {
          return (await docker.getContainer(name).inspect()).Id;
        } catch (error) {
          if (!gone(error) || i > 10) wrap(error);
        }
        try {
          const c = await docker.createContainer({
            name,
            Image: 'rolling-restart-base:node',
            Labels: { ...labels },
            HostConfig: { Binds: [`${volume}:${ROOT}`] },
          });
          return c.id;
        } catch {
          await new Promise((r) => setTimeout(r, 20));
        }
      }
    },
    async writeFile(container, path, content) {
      const p = pack();
      const parts = path.split('/');
      for (let i = 1; i < parts.length; i += 1) p.entry({ name: parts.slice(0, i).join('/'), type: 'directory' });
      p.entry({ name: path, mode: 0o600 }, content);
      p.finalize();
      await docker
        .getContainer(container)
        .putArchive(p as unknown as NodeJS.ReadableStream, { path: ROOT })
        .catch(wrap);
    },
    readFile: async (container, path) => (await tree(container, path)).values().next().value,
    readTree: tree,
    async removeContainer(id) {
      await docker
        .getContainer(id)
        .remove({ force: true })
        .catch((e: unknown) => (gone(e) ? undefined : wrap(e)));
    },
  };
}
