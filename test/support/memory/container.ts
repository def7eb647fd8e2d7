import type { ContainerAnswer } from '../../../src/engine/observed.js';
import type { ContainerState, HealthCheck } from '../../../src/model/service.js';
import { healthAt, type Health } from './health.js';
import { NEVER } from './ids.js';
import type { Image } from './images.js';
import type { Cancel } from './timers.js';

export interface PortSpec {
  readonly target: number;
  readonly protocol: string;
  /** Undefined: the engine chooses. */
  readonly published: number | undefined;
  /** '': every address. */
  readonly ip: string;
}

export interface MountSpec {
  readonly type: 'bind' | 'volume' | 'tmpfs';
  /** A volume without one gets 64 digits. */
  readonly name: string | undefined;
  readonly target: string;
}

/** What a container is created from: names of things, resolved when they are needed. */
export interface ContainerSpec {
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `NAME=value` */
  readonly environment: readonly string[];
  readonly healthCheck: HealthCheck | undefined;
  readonly restart: { readonly name: string; readonly maximum: number };
  /** Seconds; undefined: the engine's own 10; negative: for ever. */
  readonly graceS: number | undefined;
  readonly ports: readonly PortSpec[];
  /** `80/tcp` */
  readonly exposed: readonly string[];
  readonly networkMode: string;
  /** Names on each network, by its name. */
  readonly networks: Readonly<Record<string, readonly string[]>>;
  readonly mounts: readonly MountSpec[];
  readonly pidMode: string;
  readonly ipcMode: string;
  readonly volumesFrom: readonly string[];
}

/** A container with nothing of its own, on no network. */
export const BARE: Omit<ContainerSpec, 'image' | 'labels'> = {
  environment: [],
  healthCheck: undefined,
  restart: { name: 'no', maximum: 0 },
  graceS: undefined,
  ports: [],
  exposed: [],
  networkMode: 'none',
  networks: {},
  mounts: [],
  pidMode: '',
  ipcMode: 'private',
  volumesFrom: [],
};

export interface Endpoint {
  names: readonly string[];
  /** Found by its name at the first start, and kept: a network that is made again is another one. */
  network: string | undefined;
  address: string | undefined;
}

export interface LogLine {
  readonly stream: 'stdout' | 'stderr';
  readonly atMs: number;
  readonly text: string;
}

export interface HostPort extends PortSpec {
  readonly published: number;
}

/** A container of the world, as it stands. Times of day in milliseconds since the epoch. */
export interface Container {
  readonly id: string;
  name: string;
  spec: ContainerSpec;
  readonly image: Image;
  readonly createdAtMs: number;
  state: ContainerState;
  exitCode: number;
  oomKilled: boolean;
  restartCount: number;
  startedAtMs: number | undefined;
  /** No two starts have the same time: the count of starts stands in its nanoseconds. */
  startCount: number;
  finishedAtMs: number | undefined;
  /** Of the start, by the clock that only grows. */
  startedAt: number;
  /** When its health check passes, by the same clock. */
  readyAt: number;
  health: Health | undefined;
  hostPorts: readonly HostPort[];
  readonly endpoints: Map<string, Endpoint>;
  readonly log: LogLine[];
  /** Contents by path; those that are not of its image stand in `written`. */
  readonly files: Map<string, Buffer>;
  readonly written: Set<string>;
  /** Somebody stopped or killed it: its restart policy does not act. */
  stoppedByHand: boolean;
  /** How long Docker waits before it starts it again. */
  backoffMs: number;
  readonly timers: Set<Cancel>;
  /** Ends the watch for the next change of its health. */
  healthWatch: Cancel;
  /** Called at its next end. */
  readonly atEnd: Set<() => void>;
  /** Called for each further line of its log. */
  readonly followers: Set<(line: LogLine) => void>;
}

export function isRunning({ state }: Container): boolean {
  return state === 'running' || state === 'paused';
}

/** @param now by the clock that only grows @param dayOffset what is added to it for a time of day */
export function inspectAnswer(container: Container, now: number, dayOffset: number): ContainerAnswer {
  const { spec, startedAtMs, finishedAtMs } = container;
  const ports = new Map<string, { HostIp: string; HostPort: string }[]>();
  for (const { target, protocol, ip, published } of container.hostPorts) {
    const bindings = ports.get(`${target}/${protocol}`) ?? [];
    for (const address of ip === '' ? ['0.0.0.0', '::'] : [ip]) {
      bindings.push({ HostIp: address, HostPort: String(published) });
    }
    ports.set(`${target}/${protocol}`, bindings);
  }
  const check = spec.healthCheck;
  return {
    Id: container.id,
    Name: `/${container.name}`,
    Created: rfc3339(container.createdAtMs),
    Image: container.image.id,
    RestartCount: container.restartCount,
    State: {
      Status: container.state,
      ExitCode: container.exitCode,
      OOMKilled: container.oomKilled,
      StartedAt: startedAtMs === undefined ? NEVER : rfc3339(startedAtMs, container.startCount),
      FinishedAt: finishedAtMs === undefined ? NEVER : rfc3339(finishedAtMs),
      ...(check === undefined ? {} : { Health: healthAnswer(container, check, now, dayOffset) }),
    },
    Config: {
      Image: spec.image,
      Tty: false,
      Env: spec.environment,
      Labels: spec.labels,
      ExposedPorts: Object.fromEntries(spec.exposed.map((port) => [port, {}])),
      Healthcheck: check === undefined ? null : healthCheckAnswer(check),
      StopTimeout: spec.graceS ?? null,
    },
    HostConfig: {
      NetworkMode: spec.networkMode,
      PidMode: spec.pidMode,
      IpcMode: spec.ipcMode,
      VolumesFrom: spec.volumesFrom,
      RestartPolicy: { Name: spec.restart.name },
      PortBindings: Object.fromEntries(
        spec.ports.map(({ target, protocol, published }) => [
          `${target}/${protocol}`,
          [{ HostPort: published === undefined ? '' : String(published) }],
        ]),
      ),
    },
    Mounts: spec.mounts.map(({ type, name, target }) => ({
      Type: type,
      Destination: target,
      ...(name === undefined ? {} : { Name: name }),
    })),
    NetworkSettings: {
      Ports: Object.fromEntries(ports),
      Networks: Object.fromEntries(
        [...container.endpoints].map(([name, { address, names }]) => [
          name,
          { IPAddress: address ?? '', GlobalIPv6Address: '', Aliases: names },
        ]),
      ),
    },
  };
}

type HealthAnswer = NonNullable<ContainerAnswer['State']['Health']>;

function healthAnswer(container: Container, check: HealthCheck, now: number, dayOffset: number): HealthAnswer {
  const { health, startedAt, readyAt } = container;
  if (health === undefined) return { Status: container.state === 'created' ? 'starting' : 'unhealthy', Log: [] };
  if (!isRunning(container)) return { Status: 'unhealthy', FailingStreak: health.failingStreak, Log: [] };
  // Probing stops at a pause, and the engine calls that unhealthy.
  if (container.state === 'paused') return { Status: 'unhealthy', FailingStreak: 0, Log: [] };
  const current = healthAt(health, { check, startedAt, readyAt }, now);
  return {
    Status: current.status,
    FailingStreak: current.failingStreak,
    Log: current.log.map(({ passed, at }) => ({
      ExitCode: passed ? 0 : 1,
      Output: passed ? 'ready' : 'not ready',
      End: rfc3339(at + dayOffset),
    })),
  };
}

const NS_PER_MS = 1_000_000;

function healthCheckAnswer(check: HealthCheck): NonNullable<ContainerAnswer['Config']['Healthcheck']> {
  return {
    Test: check.test,
    Interval: check.intervalMs * NS_PER_MS,
    Timeout: check.timeoutMs * NS_PER_MS,
    StartPeriod: check.startPeriodMs * NS_PER_MS,
    StartInterval: check.startIntervalMs * NS_PER_MS,
    Retries: check.retries,
  };
}

/** With nine digits of a second, as the engine writes it. */
export function rfc3339(ms: number, nanoseconds = 0): string {
  return new Date(ms).toISOString().replace('Z', `${String(nanoseconds).padStart(6, '0')}Z`);
}
