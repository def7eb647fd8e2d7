import type { Operation } from '../operations/operation.js';
import { begin, beginTakeover, end, endTakeover, ids, settle, verifySwitched, watchAndAccept } from './phases.js';
import type { Change } from './strategy.js';

/**
 * The one container stops before the new one starts; it is kept, stopped, until the new one has proven itself, so that
 * going back is starting it again. With `holding`, the router keeps requests waiting meanwhile.
 */
export function stopFirst(change: Change, holding: boolean): readonly Operation[] {
  const { service, wanted, traffic, replicas } = change;
  const { router } = traffic;
  const old = ids(change.observed);
  const drainMs = holding ? Math.min(traffic.drainTimeoutMs, change.hold.maxMs / 2) : traffic.drainTimeoutMs;
  return [
    ...begin(change),
    ...beginTakeover(change),
    ...(holding ? [{ kind: 'hold-traffic' as const, service, router, ...change.hold }] : []),
    {
      kind: 'drain-containers',
      service,
      router,
      containers: { are: 'these', containers: old },
      timeoutMs: drainMs,
    },
    { kind: 'stop-containers', service, containers: old },
    {
      kind: 'start-beside',
      service,
      to: wanted,
      from: change.current?.id,
      count: replicas,
      beside: old,
      published: false,
      named: false,
    },
    { kind: 'await-ready', service, release: wanted, timeoutMs: change.readinessTimeoutMs, except: old },
    { kind: 'shift-traffic', service, router, serve: { who: 'new', old, percent: 100 } },
    ...(holding ? [{ kind: 'release-traffic' as const, service, router }] : []),
    ...endTakeover(change),
    verifyAll(change, old),
    ...watchAndAccept(change, old),
    { kind: 'retire-containers', service, containers: { are: 'these', containers: old } },
    ...settle(change),
    ...end(change),
  ];
}

function verifyAll(change: Change, old: readonly string[]): Operation {
  const { service, wanted, checks } = change;
  return { ...verifySwitched(change, old), kind: 'verify', service, release: wanted, checks };
}
