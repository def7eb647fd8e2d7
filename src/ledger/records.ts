import { PROJECT_LABEL } from '../model/own-names.js';
import { ProcedureError } from '../model/errors.js';
import type { RecordsApi } from '../model/ports/records.js';
import { recordsName } from './names.js';

/** The files of a project's records volume on the engine. Paths are relative to its root. */
export interface Records {
  /** Writes a value as JSON. */
  write(path: string, value: unknown): Promise<void>;
  /** Writes values as JSON in one go, in their order. */
  writeAll(values: ReadonlyMap<string, unknown>): Promise<void>;
  /** Undefined when there is no such file. */
  read(path: string): Promise<Buffer | undefined>;
  /** Every file below a folder; empty when there is no such folder. */
  tree(folder: string): Promise<ReadonlyMap<string, Buffer>>;
}

/**
 * Opens the records of a compose project: one named volume, reached through a container that is never started. The
 * container is nobody's: `docker container prune` takes it at any moment, and it is made again; the volume stays.
 * @throws ProcedureError from every method: what the engine answers
 */
export function createRecords(api: RecordsApi, project: string): Records {
  const name = recordsName(project);
  const labels = { [PROJECT_LABEL]: project };
  let opened: Promise<string> | undefined;

  const open = async (): Promise<string> => {
    // Before the container: the engine makes a missing volume for a container too, but without labels.
    const actual = await api.createVolume(name, labels);
    if (actual[PROJECT_LABEL] !== project) {
      throw new ProcedureError('E_LEDGER', `The volume ${name} is in the way: it is not one of Rolling Restart`, {
        next: `See what it is with \`docker volume inspect ${name}\`, and remove or rename it.`,
      });
    }
    return api.ensureRecordsContainer({ name, volume: name, labels });
  };
  const container = async (again = false): Promise<string> => {
    if (again || opened === undefined) {
      const opening = open();
      opened = opening;
      opening.catch(() => {
        if (opened === opening) opened = undefined;
      });
    }
    return opened;
  };

  /** Looking must not change anything: without a volume there is nothing to read, and none is made. */
  const exists = async (): Promise<boolean> => {
    if (opened !== undefined) return true;
    const volumes = await api.listVolumes(`${PROJECT_LABEL}=${project}`);
    return volumes.some((volume) => volume.name === name);
  };

  /**
   * @param isNothing whether the answer may mean "no such container" as well as "no such file": the engine's status is
   * 404 for both, and taking one for the other would read as an empty ledger
   */
  const use = async <T>(call: (container: string) => Promise<T>, isNothing: (answer: T) => boolean): Promise<T> => {
    const first = await container();
    let answer: T;
    try {
      answer = await call(first);
    } catch (error) {
      // Writing a record twice does no harm, so whatever may mean "no such container" is tried once more.
      if (error instanceof ProcedureError && error.code !== 'E_ENGINE') throw error;
      return call(await container(true));
    }
    if (!isNothing(answer)) return answer;
    const second = await container(true);
    return second === first ? answer : call(second);
  };

  const writeAll = async (values: ReadonlyMap<string, unknown>): Promise<void> => {
    const files = new Map([...values].map(([path, value]) => [path, Buffer.from(JSON.stringify(value))]));
    await use(
      (id) => api.writeFiles(id, files),
      () => false,
    );
  };

  return {
    writeAll,
    write: (path, value) => writeAll(new Map([[path, value]])),
    read: async (path) =>
      (await exists())
        ? use(
            (id) => api.readFile(id, path),
            (content) => content === undefined,
          )
        : undefined,
    tree: async (folder) =>
      (await exists())
        ? use(
            (id) => api.readTree(id, folder),
            (files) => files.size === 0,
          )
        : new Map<string, Buffer>(),
  };
}
