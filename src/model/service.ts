import type { ProjectPolicy } from './project-policy.js';

/**
 * The compose project as `docker compose config --format json` renders it, and what the engine runs of it.
 * Only the parts that decisions hang on are typed; the rest is carried along untouched.
 */

export interface ComposeProject {
  readonly name: string;
  readonly services: Readonly<Record<string, ServiceDefinition>>;
  readonly networks: Readonly<Record<string, unknown>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly configs: Readonly<Record<string, FileObject>>;
  readonly secrets: Readonly<Record<string, FileObject>>;
  /** Top-level `x-rolling-restart:`. */
  readonly policy: ProjectPolicy;
  /** The whole rendered document, for handing back to Compose. A secret: it holds every environment value. */
  readonly document: Readonly<Record<string, unknown>>;
}

/** A top-level `configs:` or `secrets:` entry. */
export interface FileObject {
  readonly file?: string | undefined;
  readonly content?: string | undefined;
  readonly environment?: string | undefined;
  readonly external?: boolean | undefined;
  readonly name?: string | undefined;
}

export interface ServiceDefinition {
  readonly name: string;
  /** The image's name: as written, or the one Compose gives a built service. */
  readonly image: string;
  readonly containerName: string | undefined;
  readonly build: { readonly context: string | undefined } | undefined;
  readonly environment: Readonly<Record<string, string | null>>;
  /** Without optional ones (`required: false`) of a profile that is off. */
  readonly dependsOn: readonly Dependency[];
  readonly healthCheck: HealthCheck | undefined;
  readonly mounts: readonly Mount[];
  readonly ports: readonly PublishedPort[];
  readonly configs: readonly string[];
  readonly secrets: readonly string[];
  readonly replicas: number;
  readonly restart: string;
  readonly profiles: readonly string[];
  readonly networkMode: string | undefined;
  readonly stopGraceMs: number;
  /** `deploy.update_config` and `deploy.rollback_config`. Plain Compose ignores them (compose#13149). */
  readonly update: UpdateConfig;
  readonly rollback: UpdateConfig;
  /** The rendered definition itself. */
  readonly raw: Readonly<Record<string, unknown>>;
}

/** What the file says of a rolling update; undefined where it is silent. Times in milliseconds. */
export interface UpdateConfig {
  /** Containers at a time; 0: all at once. */
  readonly parallelism: number | undefined;
  readonly delayMs: number | undefined;
  readonly order: 'start-first' | 'stop-first' | undefined;
  readonly failureAction: 'rollback' | 'pause' | 'continue' | undefined;
  readonly monitorMs: number | undefined;
  /** 0 to 1. */
  readonly maxFailureRatio: number | undefined;
}

export interface Dependency {
  readonly service: string;
  /** It wants to be restarted when the other one changes. */
  readonly restart: boolean;
  readonly condition: 'service_started' | 'service_healthy' | 'service_completed_successfully';
}

/** Times in milliseconds; Docker's defaults are filled in (interval 30 s, timeout 30 s, retries 3, start period 0). */
export interface HealthCheck {
  /** `['CMD', …]` or `['CMD-SHELL', script]`. */
  readonly test: readonly string[];
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly startPeriodMs: number;
  readonly startIntervalMs: number;
  readonly retries: number;
}

export interface Mount {
  readonly type: 'bind' | 'volume' | 'tmpfs' | 'other';
  readonly source: string | undefined;
  readonly target: string;
  readonly readOnly: boolean;
}

export interface PublishedPort {
  /** Port inside the container. */
  readonly target: number;
  /** Port on the host as written; undefined when the engine chooses. */
  readonly published: string | undefined;
  readonly protocol: 'tcp' | 'udp' | 'other';
  readonly hostIp: string | undefined;
}

export type ContainerState = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead';
export type HealthState = 'none' | 'starting' | 'healthy' | 'unhealthy';

/** One container of a service, read from the engine. */
export interface ObservedContainer {
  readonly id: string;
  readonly name: string;
  readonly service: string;
  /** Compose's container number, from 1. */
  readonly number: number;
  readonly state: ContainerState;
  readonly health: HealthState;
  readonly healthLog: readonly HealthProbe[];
  readonly healthCheck: HealthCheck | undefined;
  readonly exitCode: number;
  readonly oomKilled: boolean;
  readonly restartCount: number;
  readonly restartPolicy: string;
  readonly createdAt: string;
  /** RFC 3339; `0001-01-01T00:00:00Z` when it never started. */
  readonly startedAt: string;
  readonly finishedAt: string;
  /** The engine's id of the image it was made from. */
  readonly imageId: string;
  /** The name it was made by. */
  readonly imageName: string;
  /** Compose's own hash of the definition it was made from. */
  readonly composeHash: string;
  /** `NAME=value`: a secret. */
  readonly environment: readonly string[];
  readonly addresses: readonly string[];
  /** By the engine's name of the network. */
  readonly networks: Readonly<
    Record<string, { readonly address: string | undefined; readonly names: readonly string[] }>
  >;
  readonly exposedPorts: readonly number[];
  readonly hostPorts: readonly { readonly container: number; readonly host: number; readonly ip: string }[];
  readonly networkMode: string;
  /** Made to publish ports, whether it runs or not. */
  readonly publishes: boolean;
  /** TCP ports of the host that it was made for: `hostPorts` is empty while it restarts. */
  readonly boundPorts: readonly number[];
  /** Project directory and compose files, as Compose's labels say; a directory is undefined without Compose. */
  readonly madeFrom: { readonly directory: string | undefined; readonly files: readonly string[] };
  /** Where it has volumes without a name. */
  readonly anonymousVolumes: readonly string[];
  /** What it takes from other containers. */
  readonly borrows: readonly Borrowed[];
}

/** Docker takes a start for a success after 10 s (https://docs.docker.com/engine/containers/start-containers-automatically/). */
const START_SUCCEEDS_MS = 10_000;

/**
 * @param nowMs milliseconds since the epoch
 * @returns whether Docker has just restarted it after its process ended: it may be running for a moment, and serves nobody
 */
export function keepsRestarting(
  { restartCount, startedAt }: Pick<ObservedContainer, 'restartCount' | 'startedAt'>,
  nowMs: number,
): boolean {
  return restartCount > 0 && nowMs - Date.parse(startedAt) < START_SUCCEEDS_MS;
}

/** A namespace or the volumes of another container, which the engine names by `from`: an id or a name. */
export interface Borrowed {
  readonly what: 'network' | 'pid' | 'ipc' | 'volumes';
  readonly from: string;
}

/** A running container of any project that takes something from a container of a service. */
export interface Borrower {
  readonly container: string;
  /** Undefined: it is of another project, or of none. */
  readonly service: string | undefined;
  readonly what: Borrowed['what'];
}

export interface HealthProbe {
  readonly exitCode: number;
  readonly output: string;
  readonly end: string;
}

/** @returns whether it has a process, or Docker is about to give it one */
export function isAlive({ state }: Pick<ObservedContainer, 'state'>): boolean {
  return state === 'running' || state === 'paused' || state === 'restarting';
}

/** A config or secret whose content Compose copies into the container itself: `content:` or `environment:`. */
export interface InlineFile {
  readonly kind: 'config' | 'secret';
  readonly name: string;
  /** Where the container has it. */
  readonly target: string;
  readonly object: FileObject;
}

/** @returns what Compose copies into the service's containers; a `file:` is mounted instead */
export function inlineFiles(
  project: Pick<ComposeProject, 'configs' | 'secrets'>,
  { raw }: Pick<ServiceDefinition, 'raw'>,
): readonly InlineFile[] {
  const used = (kind: InlineFile['kind'], objects: ComposeProject['configs'], folder: string): readonly InlineFile[] =>
    ((raw[`${kind}s`] ?? []) as readonly { readonly source: string; readonly target?: string }[]).flatMap(
      ({ source: name, target = name }) => {
        const object = objects[name];
        if (object === undefined || object.file !== undefined || object.external === true) return [];
        return [{ kind, name, target: target.startsWith('/') ? target : `${folder}/${target}`, object }];
      },
    );
  return [...used('config', project.configs, ''), ...used('secret', project.secrets, '/run/secrets')];
}

/** @returns whether the service is part of what runs without being named: it has no profile, or one that is on */
export function hasActiveProfile({ profiles }: Pick<ServiceDefinition, 'profiles'>, on: readonly string[]): boolean {
  return profiles.length === 0 || profiles.some((profile) => on.includes(profile) || on.includes('*'));
}

/**
 * Third-party image with a volume of its own: a database, a queue. Replaced only when it is named, because starting it
 * twice or on another version can cost data.
 */
export function looksStateful(service: ServiceDefinition): boolean {
  return service.build === undefined && service.mounts.some((mount) => mount.type === 'volume' && !mount.readOnly);
}

/**
 * Services so that each comes after what it depends on.
 * Compose has refused circles already (`config` fails on them), so none are looked for here.
 */
export function dependencyOrder(project: Pick<ComposeProject, 'services'>): readonly string[] {
  const ordered: string[] = [];
  const visit = (name: string): void => {
    const service = project.services[name];
    if (service === undefined || ordered.includes(name)) return;
    for (const dependency of service.dependsOn) visit(dependency.service);
    if (!ordered.includes(name)) ordered.push(name);
  };
  for (const name of Object.keys(project.services).sort()) visit(name);
  return ordered;
}
