import type {
  Borrowed,
  ContainerState,
  HealthCheck,
  HealthProbe,
  HealthState,
  ObservedContainer,
} from '../model/service.js';

/** The labels by which Compose knows its containers (compose, pkg/api/labels.go). */
export const PROJECT = 'com.docker.compose.project';
export const SERVICE = 'com.docker.compose.service';
export const ONE_OFF = 'com.docker.compose.oneoff';
export const NUMBER = 'com.docker.compose.container-number';
export const CONFIG_HASH = 'com.docker.compose.config-hash';
/** The project directory and the compose files that a container was made from. */
export const DIRECTORY = 'com.docker.compose.project.working_dir';
export const FILES = 'com.docker.compose.project.config_files';
/** On a volume: its key in the compose file. */
export const VOLUME = 'com.docker.compose.volume';

/** What is read of a container's inspect answer (Engine API, ContainerInspect). Go writes empty lists as null. */
export interface ContainerAnswer {
  readonly Id: string;
  readonly Name: string;
  readonly Created: string;
  readonly Image: string;
  readonly RestartCount: number;
  readonly State: {
    readonly Status: string;
    readonly ExitCode: number;
    readonly OOMKilled: boolean;
    readonly StartedAt: string;
    readonly FinishedAt: string;
    readonly Health?: {
      readonly Status: string;
      readonly FailingStreak?: number;
      readonly Log: readonly { readonly ExitCode: number; readonly Output: string; readonly End: string }[] | null;
    } | null;
  };
  readonly Config: {
    readonly Image: string;
    readonly Tty: boolean;
    readonly Env: readonly string[] | null;
    readonly Labels: Readonly<Record<string, string>> | null;
    readonly ExposedPorts?: Readonly<Record<string, unknown>> | null;
    readonly Healthcheck?: HealthcheckAnswer | null;
    readonly StopTimeout?: number | null;
  };
  readonly HostConfig: {
    readonly NetworkMode: string;
    readonly PidMode?: string;
    readonly IpcMode?: string;
    readonly VolumesFrom?: readonly string[] | null;
    readonly RestartPolicy?: { readonly Name: string } | null;
    readonly PortBindings?: Readonly<Record<string, readonly { readonly HostPort?: string }[] | null>> | null;
  };
  readonly Mounts?: readonly { readonly Type: string; readonly Name?: string; readonly Destination: string }[] | null;
  readonly NetworkSettings: {
    readonly Ports?: Readonly<
      Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[] | null>
    > | null;
    readonly Networks?: Readonly<
      Record<
        string,
        {
          readonly IPAddress?: string;
          readonly GlobalIPv6Address?: string;
          readonly Aliases?: readonly string[] | null;
        } | null
      >
    > | null;
  };
}

/** Durations in nanoseconds; 0 and absent both mean "the default". */
interface HealthcheckAnswer {
  readonly Test?: readonly string[] | null;
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
  readonly Retries?: number;
}

/** @returns the container as decisions see it */
export function observe(answer: ContainerAnswer): ObservedContainer {
  const { Config: config, State: state, NetworkSettings: network } = answer;
  const labels = config.Labels ?? {};
  return {
    id: answer.Id,
    name: answer.Name.replace(/^\//, ''),
    service: labels[SERVICE] ?? '',
    number: Number(labels[NUMBER] ?? '1'),
    state: containerState(state.Status),
    health: healthState(state),
    healthLog: (state.Health?.Log ?? []).map((probe): HealthProbe => ({
      exitCode: probe.ExitCode,
      output: probe.Output,
      end: probe.End,
    })),
    healthCheck: healthCheck(config.Healthcheck),
    exitCode: state.ExitCode,
    oomKilled: state.OOMKilled,
    restartCount: answer.RestartCount,
    restartPolicy: answer.HostConfig.RestartPolicy?.Name ?? '',
    createdAt: answer.Created,
    startedAt: state.StartedAt,
    finishedAt: state.FinishedAt,
    imageId: answer.Image,
    imageName: config.Image,
    composeHash: labels[CONFIG_HASH] ?? '',
    environment: config.Env ?? [],
    addresses: Object.values(network.Networks ?? {})
      .flatMap((one) => [one?.IPAddress, one?.GlobalIPv6Address])
      .filter((address): address is string => address !== undefined && address !== ''),
    networks: Object.fromEntries(
      Object.entries(network.Networks ?? {}).map(([name, one]) => [
        name,
        { address: one?.IPAddress || one?.GlobalIPv6Address || undefined, names: one?.Aliases ?? [] },
      ]),
    ),
    exposedPorts: Object.keys(config.ExposedPorts ?? {}).flatMap(tcpPort),
    hostPorts: Object.entries(network.Ports ?? {}).flatMap(([written, bindings]) =>
      tcpPort(written).flatMap((container) =>
        (bindings ?? []).map((binding) => ({ container, host: Number(binding.HostPort), ip: binding.HostIp })),
      ),
    ),
    networkMode: answer.HostConfig.NetworkMode,
    publishes: Object.keys(answer.HostConfig.PortBindings ?? {}).length > 0,
    boundPorts: Object.entries(answer.HostConfig.PortBindings ?? {}).flatMap(([written, bindings]) =>
      tcpPort(written).length === 0 ? [] : (bindings ?? []).flatMap(({ HostPort }) => tcpPort(HostPort ?? '')),
    ),
    madeFrom: madeFrom(labels),
    anonymousVolumes: (answer.Mounts ?? []).flatMap(({ Type, Name, Destination }) =>
      Type === 'volume' && /^[0-9a-f]{64}$/.test(Name ?? '') ? [Destination] : [],
    ),
    borrows: borrowed(answer.HostConfig),
  };
}

/** @returns the folder and the compose files that Compose made a container from, by its labels */
export function madeFrom(labels: Readonly<Record<string, string>>): ObservedContainer['madeFrom'] {
  return { directory: labels[DIRECTORY], files: (labels[FILES] ?? '').split(',').filter((file) => file !== '') };
}

/** The engine writes `container:ID` for a namespace, and `ID` or `ID:ro` for volumes (Engine API, HostConfig). */
function borrowed(host: ContainerAnswer['HostConfig']): readonly Borrowed[] {
  const modes = [
    ['network', host.NetworkMode],
    ['pid', host.PidMode],
    ['ipc', host.IpcMode],
  ] as const;
  return [
    ...modes.flatMap(([what, mode]) =>
      mode?.startsWith('container:') === true ? [{ what, from: mode.slice('container:'.length) }] : [],
    ),
    ...(host.VolumesFrom ?? []).map((from) => ({ what: 'volumes' as const, from: from.split(':')[0] ?? from })),
  ];
}

const NS_PER_MS = 1_000_000;

/**
 * The defaults are the engine's own (moby, daemon/health.go). A test of `NONE` switches an image's check off; an empty
 * one inherits the image's, which the engine has filled in when the container was created.
 */
function healthCheck(answer: HealthcheckAnswer | null | undefined): HealthCheck | undefined {
  const test = answer?.Test ?? [];
  if (answer === null || answer === undefined || test.length === 0 || test[0] === 'NONE') return undefined;
  const milliseconds = (ns: number | undefined, byDefault: number): number => (ns ? ns / NS_PER_MS : byDefault);
  return {
    test,
    intervalMs: milliseconds(answer.Interval, 30_000),
    timeoutMs: milliseconds(answer.Timeout, 30_000),
    startPeriodMs: milliseconds(answer.StartPeriod, 0),
    startIntervalMs: milliseconds(answer.StartInterval, 5_000),
    retries: answer.Retries || 3,
  };
}

/** Ports that a connection can be tried on; what else there is (`53/udp`) is left out. */
function tcpPort(written: string): readonly number[] {
  const match = /^(\d+)(?:\/tcp)?$/.exec(written);
  return match === null ? [] : [Number(match[1])];
}

function containerState(status: string): ContainerState {
  switch (status) {
    case 'created':
    case 'running':
    case 'paused':
    case 'restarting':
    case 'removing':
    case 'exited':
    case 'dead':
      return status;
    default:
      return 'dead';
  }
}

/**
 * Where probing stops, as at a pause, the engine calls a container unhealthy although no probe has failed, and it stays so after
 * the pause until the next probe (moby, container/health.go, `CloseMonitorChannel`; seen on 26.1.5): then nobody knows yet.
 */
function healthState({ Status: state, Health: health }: ContainerAnswer['State']): HealthState {
  switch (health?.Status) {
    case 'unhealthy':
      return state === 'running' && health.FailingStreak === 0 ? 'starting' : 'unhealthy';
    case 'starting':
    case 'healthy':
      return health.Status;
    default:
      return 'none';
  }
}
