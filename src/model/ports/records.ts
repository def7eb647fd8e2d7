/**
 * What the ledger needs of the engine: labelled volumes, and files in one of them. Implemented in `src/engine`.
 *
 * Files are reached through the archive API of a created, never started container that mounts the volume. Somebody's
 * `docker container prune` may take that container at any time; the volume stays. The file calls therefore throw
 * ProcedureError with E_ENGINE when there is no such container, never "no such file": make it again with
 * `ensureRecordsContainer` and repeat. Everything else that fails throws E_ENGINE, E_ENGINE_UNREACHABLE or E_DEADLINE.
 */
export interface RecordsApi {
  /** Creates the volume unless it exists; returns its labels as they are on the engine (creation has one winner). */
  createVolume(name: string, labels: Readonly<Record<string, string>>): Promise<Readonly<Record<string, string>>>;
  /** @param label `name` or `name=value` */
  listVolumes(
    label: string,
  ): Promise<readonly { readonly name: string; readonly labels: Readonly<Record<string, string>> }[]>;
  /** Gone already is success. */
  removeVolume(name: string): Promise<void>;
  /**
   * Makes sure that the created, never started container that opens a volume exists (empty imported image, label) and
   * returns its id. One inspect call when it exists.
   */
  ensureRecordsContainer(options: {
    readonly name: string;
    readonly volume: string;
    readonly labels: Readonly<Record<string, string>>;
  }): Promise<string>;
  /**
   * Writes files (paths relative to the volume's root; parent folders are made) in one archive PUT, in their order.
   * Readable by root only. The engine serves reads and writes of one container one after the other, so no reader sees
   * half a file; a writer that dies within the call may leave one.
   */
  writeFiles(container: string, files: ReadonlyMap<string, Buffer>): Promise<void>;
  /** Undefined when there is no such file. */
  readFile(container: string, path: string): Promise<Buffer | undefined>;
  /** Every file below a folder, path relative to the volume's root. Empty when there is no such folder. */
  readTree(container: string, folder: string): Promise<ReadonlyMap<string, Buffer>>;
  /** Gone already is success; a volume it mounts stays. */
  removeContainer(id: string): Promise<void>;
}
