import type { Operation } from '../operations/operation.js';
import type { ReleaseId } from '../model/release.js';
import type { RouterSpec } from '../model/router.js';
import { mendWay } from './phases.js';
import { startAgain } from './start-again.js';
import type { Traffic } from './strategy.js';

/** A service that is to be stopped on purpose, and to stay so. */
export interface Stop {
  readonly service: string;
  readonly release: ReleaseId;
  /** Who asks for it, and why. */
  readonly reason: string;
  /** Containers that have a process. */
  readonly running: readonly string[];
  /** All of them that Docker starts whenever it starts itself, stopped or not. */
  readonly always: readonly string[];
  readonly router: RouterSpec;
  readonly drainTimeoutMs: number;
  /** Kill, without the grace time and without waiting for requests in flight. */
  readonly kill: boolean;
}

/** The intention is written down first: a run that is killed half-way is finished by the next one, not undone. */
export function planStop(stop: Stop): readonly Operation[] {
  const { service, release, reason, running, always, router, drainTimeoutMs: timeoutMs, kill } = stop;
  const drains = router.kind !== 'none' && !kill && running.length > 0;
  return [
    { kind: 'capture-evidence', service, moment: 'before' },
    { kind: 'record-stop', service, release, reason },
    ...(always.length === 0
      ? []
      : [{ kind: 'set-restart-policy' as const, service, containers: always, to: 'unless-stopped' as const }]),
    ...(drains
      ? [
          {
            kind: 'drain-containers' as const,
            service,
            router,
            containers: { are: 'these' as const, containers: running },
            timeoutMs,
          },
        ]
      : []),
    ...(running.length === 0
      ? []
      : kill
        ? [{ kind: 'kill-containers' as const, service, containers: running, release }]
        : [{ kind: 'stop-containers' as const, service, containers: running }]),
    { kind: 'verify', service, release, checks: ['stopped'] },
  ];
}

/** A service that does not run, and is to. */
export interface Start {
  readonly service: string;
  readonly release: ReleaseId;
  readonly replicas: number;
  /** Containers of the release that are there; others cannot be started as they are. */
  readonly present: readonly string[];
  /** Those of them that a stop has taken from Docker's own starting. */
  readonly heldBack: readonly string[];
  readonly traffic: Traffic;
  readonly containerName: string | undefined;
  readonly timeoutMs: number;
  readonly checks: readonly string[];
  readonly watchMs: number;
}

/** The same containers, with what their writable layers hold; or new ones of the same release where they are gone. */
export function planStart(start: Start): readonly Operation[] {
  const { service, release, replicas, present, heldBack, traffic, containerName, timeoutMs, checks, watchMs } = start;
  const { router } = traffic;
  const ready: Operation = { kind: 'await-ready', service, release, timeoutMs };
  const again: readonly Operation[] =
    present.length === 0
      ? startAgain({ service, release, replicas, traffic, present, containerName, timeoutMs })
      : [
          ...mendWay(start),
          { kind: 'start-containers', service, containers: present },
          ready,
          ...(router.kind === 'none'
            ? []
            : [
                { kind: 'shift-traffic' as const, service, router, serve: { who: 'all-but' as const, containers: [] } },
              ]),
        ];
  return [
    { kind: 'record-start', service, release },
    ...(heldBack.length === 0
      ? []
      : [{ kind: 'set-restart-policy' as const, service, containers: heldBack, to: 'always' as const }]),
    ...again,
    { kind: 'verify', service, release, checks },
    { kind: 'watch', service, release, durationMs: watchMs },
    { kind: 'capture-evidence', service, moment: 'after' },
  ];
}
