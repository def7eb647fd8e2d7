import type { Helper } from '../own-names.js';
import type { Readable } from 'node:stream';
import type { ImageFacts } from '../image.js';
import type { DefinedResource, EngineResource } from '../kept-definitions.js';
import type { NetworkNames } from '../network-names.js';
import type { Neighbour, VolumeOwners } from '../project-owner.js';
import type { Borrower, ComposeProject, ObservedContainer } from '../service.js';

/**
 * Docker, as the rest of the program sees it. Implemented in `src/engine` and nowhere else.
 * Every call has a deadline, is logged at debug, takes an AbortSignal where it can last, and throws ProcedureError with
 * E_ENGINE, E_ENGINE_UNREACHABLE or E_DEADLINE. "Already so" is success: stopping what is stopped, removing what is gone.
 */
export interface Engine {
  facts(): Promise<EngineFacts>;

  /**
   * Containers of a compose project, sorted by service and number. Left out: one-off ones (`compose run`), and what an
   * interrupted recreate left (`model/replicas.ts`).
   */
  containers(project: string, service?: string): Promise<readonly ObservedContainer[]>;
  /** Containers that an interrupted recreate left. */
  leftovers(project: string, service?: string): Promise<readonly ObservedContainer[]>;
  /** Undefined when there is none any more. */
  container(id: string): Promise<ObservedContainer | undefined>;
  /** The engine's own inspect answer, for evidence. A secret. */
  inspectContainer(id: string): Promise<unknown>;
  stopContainer(id: string, signal?: AbortSignal): Promise<void>;
  killContainer(id: string, unixSignal: string): Promise<void>;
  startContainer(id: string): Promise<void>;
  restartContainer(id: string, signal?: AbortSignal): Promise<void>;
  /** Its volumes stay, also those without a name, unless it is said that they go: of what was never anybody's. */
  removeContainer(id: string, volumes?: 'with-anonymous-volumes'): Promise<void>;
  /** What Docker does when it ends or when Docker itself starts; Compose's hash does not see it. */
  setRestartPolicy(id: string, policy: 'always' | 'unless-stopped'): Promise<void>;
  /**
   * Creates, and does not start, one more container of a service from a template (`Compose.makeTemplate`).
   * @returns its id
   */
  createBeside(template: string, options: BesideOptions): Promise<string>;
  /** @throws E_ENGINE when another container has the name */
  renameContainer(id: string, name: string): Promise<void>;
  /** Gives a container more names on its networks, by leaving and joining each: its address may change. */
  nameOnNetworks(id: string, names: NetworkNames): Promise<void>;
  /**
   * Removes the networks that Compose made for a project; external ones are none of them.
   * @returns the names of those that something is still on, and that stay
   */
  removeNetworks(project: string): Promise<readonly string[]>;
  /** Every container of the engine, running or not, and whom it belongs to; one-off ones left out. */
  neighbours(): Promise<readonly Neighbour[]>;
  /** Every volume of the engine, and whom Compose made it for. */
  volumeOwners(): Promise<VolumeOwners>;
  /** Looks at paths as the engine's host has them. Leaves nothing behind. */
  viewOfHost(options: {
    /** Is read. */
    readonly file: string;
    /** Have to be there as well. */
    readonly paths: readonly string[];
    /** Whose helper container looks. */
    readonly project: string;
  }): Promise<HostView>;
  /** How it has a network or volume; undefined when it has none of that name. */
  resource(named: Pick<DefinedResource, 'kind' | 'name'>): Promise<EngineResource | undefined>;
  /** The containers, of any project, that run and publish a TCP port of the host. */
  publishers(port: number): Promise<readonly Publisher[]>;
  /** The running containers, of any project, that live in a namespace of one of these or take volumes from it. */
  borrowers(of: readonly Pick<ObservedContainer, 'id' | 'name'>[], project: string): Promise<readonly Borrower[]>;
  /** Processes of a container as `ps` prints them. */
  top(id: string): Promise<readonly string[]>;
  /** Contents of a file as the container has it, running or not; undefined when there is no such file. */
  readFile(id: string, path: string): Promise<Buffer | undefined>;
  /** Files that only the container's writable layer has: they go with it. */
  writtenFiles(id: string): Promise<readonly string[]>;

  /** By name, id or digest; undefined when the engine has no such image. */
  image(reference: string): Promise<ImageFacts | undefined>;
  tagImage(image: string, tag: string): Promise<void>;
  /** Takes a name away; the image goes with its last name. The last name of an image that a container uses stays. */
  untagImage(tag: string): Promise<void>;
  /** Tags below a repository name. */
  tagsOf(repository: string): Promise<readonly string[]>;

  /**
   * The log as bytes, stdout and stderr together, without the engine's framing.
   * @param options.since seconds since the epoch; fractions allowed
   */
  logs(id: string, options: LogOptions): Promise<Readable>;
  /** One reading of resource use. */
  stats(id: string): Promise<ResourceUse | undefined>;
  /** The same without its share of processor time (0), which takes a moment to measure. */
  memoryNow(id: string): Promise<ResourceUse | undefined>;
  /** A reading a second until the container ends or the signal aborts. */
  statsStream(id: string, signal: AbortSignal): AsyncIterable<ResourceUse>;
  /** What happens to containers of the project and to our lock volumes, from now on. */
  events(project: string, signal: AbortSignal): AsyncIterable<EngineEvent>;
  /** Runs a command in a running container; output is bounded to its last 64 KiB unless `outputLimit` says otherwise. */
  exec(id: string, command: readonly string[], options: ExecOptions): Promise<ExecResult>;
}

export interface Publisher {
  readonly id: string;
  readonly name: string;
  /** Compose project that it belongs to, or works for; undefined: none. */
  readonly project: string | undefined;
  /** Compose service that it is of; undefined: none. */
  readonly service: string | undefined;
}

/** What the engine's host has at the paths that were asked for. */
export type HostView =
  | { readonly kind: 'file'; readonly content: Buffer }
  | { readonly kind: 'missing'; readonly path: string }
  | { readonly kind: 'unknown'; readonly reason: string };

export interface BesideOptions {
  readonly name: string;
  readonly project: string;
  readonly service: string;
  /** Compose's container number. */
  readonly number: number;
  /** The hash that plain Compose computes for the service, so that it finds the container `Running`. */
  readonly composeHash: string;
  /** Where the project's files are, as Compose's labels say it. */
  readonly files: { readonly directory: string; readonly names: readonly string[] };
  /** A container of the service whose further labels of Compose's are taken over. */
  readonly like: string | undefined;
  /** Names on the networks besides its own, by the engine's name of the network. */
  readonly names: NetworkNames;
}

export interface EngineFacts {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly apiVersion: string;
  readonly rootDirectory: string;
  readonly operatingSystem: string;
  /** True with the containerd image store, where image ids are digests of an index. */
  readonly containerdStore: boolean;
  readonly endpoint: string;
  /** By its name, its host is the one this runs on: ports of the host are reached from here. */
  readonly here: boolean;
}

export interface LogOptions {
  /** One of the two streams; both unless given. */
  readonly only?: 'stdout' | 'stderr';
  readonly since?: number;
  readonly tail?: number;
  readonly follow?: boolean;
  readonly timestamps?: boolean;
  readonly signal?: AbortSignal;
}

export interface ResourceUse {
  /** Resident memory as `docker stats` counts it: usage without the inactive page cache. */
  readonly memoryBytes: number;
  readonly memoryLimitBytes: number;
  /** Percent of one core. */
  readonly cpuPercent: number;
  readonly processes: number;
  readonly at: string;
}

export interface EngineEvent {
  readonly type: 'container' | 'volume';
  /** `start`, `die`, `oom`, `kill`, `stop`, `destroy`, `health_status: healthy`, `create`, … */
  readonly action: string;
  /** Container id, or volume name. */
  readonly id: string;
  readonly service: string | undefined;
  readonly exitCode: number | undefined;
  /** Milliseconds since the epoch, by the engine's clock. */
  readonly atMs: number;
}

export interface ExecOptions {
  readonly timeoutMs: number;
  readonly environment?: Readonly<Record<string, string>>;
  /** Bytes kept of the output, from its end. */
  readonly outputLimit?: number;
  /** Who runs it, such as `0`; the container's own user unless given. */
  readonly user?: string;
  readonly signal?: AbortSignal;
}

export interface ExecResult {
  readonly exitCode: number;
  readonly output: string;
}

/** Where a project's files are and how Compose is to read them. */
export interface ComposeTarget {
  /** Compose files in order; empty: Compose's own defaults in `directory`. */
  readonly files: readonly string[];
  /** Where Compose is started: it looks for its files and for `.env` from here, unless they are named. */
  readonly directory: string;
  /**
   * Project directory, against which relative paths resolve. Undefined for a person's files: Compose uses the folder of
   * the first one. Given for a document that lies elsewhere or nowhere.
   */
  readonly projectDirectory?: string | undefined;
  readonly projectName: string | undefined;
  readonly envFiles: readonly string[];
  /**
   * In place of the files: a project that was rendered before. Compose gets it on its standard input, and never as a file: it
   * holds every environment value.
   */
  readonly document?: Readonly<Record<string, unknown>>;
  /**
   * Paths below `from` are written as paths below `to` in what is rendered, except in build sections: how a worktree is
   * rendered as if it were the live checkout while its build context stays where it is. The first pair that fits counts.
   */
  readonly relocate?: readonly Relocation[] | undefined;
}

export interface Relocation {
  readonly from: string;
  readonly to: string;
}

/** What Compose uses for a target that leaves the choice to it. */
export interface ComposePlace {
  /** The project directory. */
  readonly directory: string;
  /** Compose files in order, absolute; none where there are none. */
  readonly files: readonly string[];
  /** Compose finds the files by their names: another commit may have more of them, or fewer. */
  readonly byDefault: boolean;
  /** Profiles that are on, by COMPOSE_PROFILES; services of others are treated only when they are named. */
  readonly profiles: readonly string[];
  /** Somebody gave the project its name here, by the input or by COMPOSE_PROJECT_NAME. */
  readonly named: boolean;
}

/**
 * The Compose CLI. Exit codes are no proof of anything (FIELD: `up -d` exits 0 with the service down): callers read the
 * engine back.
 */
export interface Compose {
  /** `2.26.1` */
  version(): Promise<string>;
  /** Which project directory, files and profiles Compose uses for a target. */
  place(target: ComposeTarget): Promise<ComposePlace>;
  /** Renders and validates; throws E_COMPOSE_FILE with Compose's own words. */
  render(target: ComposeTarget): Promise<ComposeProject>;
  /**
   * Compose's config hash per service. Right only for a rendered document: for files with an `env_file`, `config --hash`
   * does not read it, and `up` labels containers with another hash (measured on 2.26.1).
   */
  hashes(target: ComposeTarget): Promise<Readonly<Record<string, string>>>;
  /** The same for a document that was rendered before: one call less. */
  documentHashes(
    document: Readonly<Record<string, unknown>>,
    directory: string,
  ): Promise<Readonly<Record<string, string>>>;
  /** Values of variables as Compose substitutes them in the target's files; '' for one that is not set. Secrets. */
  variables(target: ComposeTarget, names: readonly string[]): Promise<Readonly<Record<string, string>>>;
  /** @param document a rendered project whose one service is built, under the image name it carries */
  build(options: {
    readonly document: Readonly<Record<string, unknown>>;
    readonly directory: string;
    readonly service: string;
    readonly pullBase: boolean;
    readonly onLine: (line: string) => void;
    readonly signal: AbortSignal;
    readonly timeoutMs: number;
  }): Promise<void>;
  /** `up -d --no-deps --no-build --pull never` for one service. */
  up(options: {
    readonly target: ComposeTarget;
    readonly service: string;
    readonly replicas: number | undefined;
    readonly forceRecreate: boolean;
    /** Whether the service depends on others: Compose before 2.29.3 then needs another way (compose-up.ts). */
    readonly hasDependencies: boolean;
    readonly onLine: (line: string) => void;
    readonly signal: AbortSignal;
    readonly timeoutMs: number;
  }): Promise<void>;
  /**
   * Whether `up` hands volumes without a name over to the container that it makes in the place of another, in whatever state
   * other services are. Before 2.29.3 not for a service that depends on others (compose-before-2.29.ts).
   */
  keepsVolumes(hasDependencies: boolean): Promise<boolean>;
  /**
   * Has Compose create, and not start, one container of a service under a scratch project beside the real one: as
   * Compose makes it, and touching nothing of the project. To be copied and removed at once.
   * @param published with the ports that the file publishes
   * @returns its id
   */
  makeTemplate(options: {
    readonly document: Readonly<Record<string, unknown>>;
    readonly directory: string;
    readonly service: string;
    /** Name of its image. */
    readonly image: string;
    readonly published: boolean;
    readonly helper: Omit<Helper, 'project'>;
    readonly signal: AbortSignal;
  }): Promise<string>;
  /** Makes the containers of a document that we rendered, with its networks and volumes, and starts none of them. */
  create(options: {
    readonly document: Readonly<Record<string, unknown>>;
    readonly services: readonly string[];
    /** Where these containers are only made to be removed at once. */
    readonly helper?: Helper;
    readonly signal: AbortSignal;
    readonly timeoutMs: number;
  }): Promise<void>;
  /** Pulls an image by reference (Docker CLI: it has the user's registry credentials and helpers). */
  pull(reference: string, onLine: (line: string) => void, signal: AbortSignal, timeoutMs: number): Promise<void>;
  /** Pushes an image by a name that it has on the engine, with the user's registry credentials. @throws E_PUSH */
  push(reference: string, onLine: (line: string) => void, signal: AbortSignal, timeoutMs: number): Promise<void>;
  /** Asks the registry for an image's manifest, without pulling. @returns what is wrong, or undefined */
  registryProblem(reference: string, timeoutMs: number): Promise<string | undefined>;
}
