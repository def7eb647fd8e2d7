import type { Operation } from '../operations/operation.js';
import type { ReleaseId } from '../model/release.js';
import { letGo, mendWay } from './phases.js';
import type { Traffic } from './strategy.js';

/** A service whose containers were stopped or removed, and what is to run of it. */
export interface StartAgain {
  readonly service: string;
  readonly release: ReleaseId;
  readonly replicas: number;
  readonly traffic: Traffic;
  /** Containers that are there, running or not. */
  readonly present: readonly string[];
  readonly containerName: string | undefined;
  readonly timeoutMs: number;
}

/** The same release again. Behind the edge a container gets no ports of the host, so Compose cannot make it. */
export function startAgain(again: StartAgain): readonly Operation[] {
  const { service, release, replicas, traffic, present, containerName, timeoutMs } = again;
  const { router } = traffic;
  const ready: Operation = { kind: 'await-ready', service, release, timeoutMs };
  if (router.kind !== 'edge') {
    const replace: Operation = {
      kind: 'replace-containers',
      service,
      to: release,
      from: release,
      replicas,
      force: false,
    };
    return [...mendWay(again), replace, ready, ...letGo(service, router)];
  }
  const missing = Math.max(0, replicas - present.length);
  return [
    ...mendWay(again),
    ...(present.length === 0 ? [] : [{ kind: 'start-containers' as const, service, containers: present }]),
    ...(missing === 0
      ? []
      : [
          {
            kind: 'start-beside' as const,
            service,
            to: release,
            from: release,
            count: missing,
            beside: present,
            published: false,
            named: false,
          },
        ]),
    ready,
    { kind: 'shift-traffic', service, router, serve: { who: 'all-but', containers: [] } },
    ...(containerName === undefined || missing === 0
      ? []
      : [{ kind: 'settle-containers' as const, service, containerName, named: false, except: [] }]),
  ];
}
