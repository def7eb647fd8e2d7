/** The user's own commands, on the host: `bash -eo pipefail`, in their own process group, ended on abort. */
export interface Commands {
  /** @throws ProcedureError E_COMMAND with the last lines, E_DEADLINE, E_CANCELLED */
  run(options: {
    readonly name: string;
    readonly command: string;
    readonly directory: string;
    readonly environment: Readonly<Record<string, string>>;
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
    readonly onLine: (line: string) => void;
  }): Promise<CommandResult>;
  /** Ends what a killed run had started on this host and what outlived it. @returns how many processes there were */
  endLeft(run: string): Promise<number>;
}

export interface CommandResult {
  readonly durationMs: number;
  /** Last 64 KiB of stdout and stderr together. */
  readonly output: string;
}

/** The host's disks. */
export interface Disks {
  /** @returns bytes free for us where the path is; undefined when it is not on this host */
  freeBytes(path: string): Promise<number | undefined>;
  /** @returns bytes that the disk has in all where the path is; undefined when it is not on this host */
  totalBytes(path: string): Promise<number | undefined>;
}

/** Who listens on ports of this host. */
export interface Listeners {
  /** Undefined when nobody does; without a name when it cannot be seen from here. */
  on(port: number): Promise<{ readonly pid: number | undefined; readonly name: string | undefined } | undefined>;
}
