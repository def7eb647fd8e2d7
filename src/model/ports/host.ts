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
  /** Processes on this host that a run has started, this one's own apart. */
  left(run: string): Promise<readonly LeftProcess[]>;
  /**
   * Ends what a run had started on this host and what outlived it.
   * @param only of these; all unless given
   * @returns how many processes there were
   */
  endLeft(run: string, only?: readonly number[]): Promise<number>;
}

export interface LeftProcess {
  readonly pid: number;
  /** Its command line. */
  readonly command: string;
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

/** A process that listens on a port of this host. */
export interface Listener {
  readonly pid: number;
  /** Name of its program. */
  readonly name: string;
  /** When it was started, in clock ticks since the boot: tells it from a later process of the same number. */
  readonly started: string;
  /** Id of the container that it runs in, of whatever engine. */
  readonly container: string | undefined;
  /** Further processes that have the same socket: a server's children. */
  readonly sharing: readonly Pick<Listener, 'pid' | 'started'>[];
  /** Why nobody should end it: process 1, an ancestor of this run, part of a Docker engine. */
  readonly essential: string | undefined;
}

/** Who listens on ports of this host. */
export interface Listeners {
  /** Undefined when nobody does; `unseen` when it cannot be told from here who does. Of several, the oldest. */
  on(port: number): Promise<Listener | 'unseen' | undefined>;
  /**
   * Asks a process to end (SIGTERM) and, when it has not after the grace time, ends it (SIGKILL).
   * @param graceMs milliseconds
   * @returns how it ended; `gone` when it was not there any more
   * @throws ProcedureError E_REMEDY when it may not be signalled, or lives on
   */
  end(
    listener: Pick<Listener, 'pid' | 'started'>,
    graceMs: number,
    signal: AbortSignal,
  ): Promise<'ended' | 'killed' | 'gone'>;
}

/** The program that runs the engine, as this host's service manager knows it. */
export interface DockerService {
  /** The shell command that restarts it; undefined when none is known here. */
  restartCommand(): Promise<string | undefined>;
}
