import type { EdgeSpec } from '../model/edge.js';
import type { Operation } from '../operations/operation.js';
import { DEFAULT_HOLD } from '../model/policy.js';
import type { ReleaseId } from '../model/release.js';

/** What the edge gives back, and to how many containers. */
export interface Eject {
  readonly service: string;
  readonly release: ReleaseId;
  readonly edge: EdgeSpec;
  /** Containers behind the edge. */
  readonly present: readonly string[];
  readonly replicas: number;
  readonly containerName: string | undefined;
  readonly readinessTimeoutMs: number;
  readonly watchMs: number;
  readonly drainTimeoutMs: number;
  readonly checks: readonly string[];
  /** Only one container may open its data: the old one stops before the new one starts, and requests wait meanwhile. */
  readonly alone: boolean;
}

const EDGE = { kind: 'edge' } as const;

/**
 * The same release again with the ports that the compose file gives it. They are redirected through what stands in for
 * the edge until the new container is ready, so that no new connection fails where the host can redirect. What may run only
 * once is stopped first, and the edge keeps requests waiting.
 */
export function planEject(eject: Eject): readonly Operation[] {
  const { service, release, present, checks, drainTimeoutMs } = eject;
  const ports = portsOf(eject);
  const old = { are: 'these', containers: present } as const;
  return [
    { kind: 'capture-evidence', service, moment: 'before' },
    { kind: 'close-ports', service, ports },
    ...(eject.alone
      ? ([
          { kind: 'hold-traffic', service, router: EDGE, ...DEFAULT_HOLD },
          { kind: 'drain-containers', service, router: EDGE, containers: old, timeoutMs: drainTimeoutMs },
          { kind: 'stop-containers', service, containers: present },
        ] as const)
      : []),
    {
      kind: 'start-beside',
      service,
      to: release,
      from: release,
      count: eject.replicas,
      beside: present,
      published: true,
      named: false,
    },
    { kind: 'await-ready', service, release, timeoutMs: eject.readinessTimeoutMs, except: present },
    { kind: 'settle-containers', service, containerName: undefined, named: true, except: present },
    ...(eject.alone
      ? ([
          { kind: 'shift-traffic', service, router: EDGE, serve: { who: 'new', old: present, percent: 100 } },
          { kind: 'release-traffic', service, router: EDGE },
        ] as const)
      : []),
    { kind: 'verify', service, release, checks, except: present, candidate: true },
    { kind: 'end-redirect', service, ports },
    { kind: 'drain-containers', service, router: EDGE, containers: old, timeoutMs: drainTimeoutMs },
    { kind: 'end-takeover', service, timeoutMs: drainTimeoutMs },
    { kind: 'retire-containers', service, containers: old },
    { kind: 'remove-edge', service },
    ...(eject.containerName === undefined
      ? []
      : [
          {
            kind: 'settle-containers' as const,
            service,
            containerName: eject.containerName,
            named: false,
            except: [],
          },
        ]),
    { kind: 'watch', service, release, durationMs: eject.watchMs },
    { kind: 'capture-evidence', service, moment: 'after' },
  ];
}

/**
 * The edge takes the ports again; what was to have them goes. Every operation may be repeated.
 * @param eject `alone`: what is behind the edge was stopped, or may have been
 */
export function undoEject({
  service,
  release,
  present,
  alone,
  ...eject
}: Omit<Eject, 'replicas' | 'containerName' | 'watchMs' | 'checks'>): readonly Operation[] {
  const ports = portsOf(eject);
  return [
    { kind: 'retire-containers', service, containers: { are: 'others', than: present } },
    ...(alone
      ? ([
          { kind: 'start-containers', service, containers: present },
          { kind: 'await-ready', service, release, timeoutMs: eject.readinessTimeoutMs },
          { kind: 'shift-traffic', service, router: EDGE, serve: { who: 'all-but', containers: [] } },
          { kind: 'release-traffic', service, router: EDGE },
        ] as const)
      : []),
    { kind: 'open-ports', service, ports },
    { kind: 'end-redirect', service, ports },
    { kind: 'end-takeover', service, timeoutMs: eject.drainTimeoutMs },
  ];
}

/** The service has its ports: the redirect ends, what is left behind the edge goes, and so does the edge. */
export function finishEject(eject: {
  readonly service: string;
  readonly left: readonly string[];
  readonly containerName: string | undefined;
  readonly edge: EdgeSpec;
  readonly drainTimeoutMs: number;
}): readonly Operation[] {
  const { service, left, containerName } = eject;
  return [
    { kind: 'end-redirect', service, ports: portsOf(eject) },
    { kind: 'end-takeover', service, timeoutMs: eject.drainTimeoutMs },
    ...(left.length === 0
      ? []
      : [{ kind: 'retire-containers' as const, service, containers: { are: 'these' as const, containers: left } }]),
    { kind: 'remove-edge', service },
    ...(containerName === undefined
      ? []
      : [{ kind: 'settle-containers' as const, service, containerName, named: false, except: [] }]),
  ];
}

function portsOf({ edge }: Pick<Eject, 'edge'>): readonly string[] {
  return edge.ports.map(({ published }) => published);
}
