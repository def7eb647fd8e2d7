import type { ContainerSet, Serve } from './router.js';

/** Something that changes whether a container serves, in milliseconds since the epoch. */
export interface ServingChange {
  readonly atMs: number;
  readonly container: string;
  readonly serves: boolean;
}

/** What the engine said of a container, in milliseconds since the epoch. */
export interface ContainerEvent {
  readonly action: string;
  readonly id: string;
  readonly atMs: number;
}

/**
 * When containers serve again that ended after they had served and were started again by Docker: from their health check
 * on, or from their start where they have none. Nobody else looks at them by then.
 * @param served readings of readiness
 * @param events in the order they happened
 */
export function servingAgain(
  served: readonly ServingChange[],
  events: readonly ContainerEvent[],
): readonly ServingChange[] {
  const checked = new Set(events.filter(({ action }) => action.startsWith('health_status')).map(({ id }) => id));
  const ended = new Set<string>();
  const changes: ServingChange[] = [];
  for (const { action, id, atMs } of events) {
    if (action === 'die' && served.some((one) => one.container === id && one.atMs <= atMs)) ended.add(id);
    if (ended.has(id) && action === (checked.has(id) ? 'health_status: healthy' : 'start')) {
      changes.push({ atMs, container: id, serves: true });
    }
  }
  return changes;
}

/** What a router was told, and since when it does that; milliseconds since the epoch. */
export interface RouteChange {
  readonly atMs: number;
  /** `drain`: these get no new requests from now on; for the others nothing changes. */
  readonly route: Serve | { readonly who: 'drain'; readonly containers: ContainerSet };
}

/**
 * How long nothing served at all: a container serves when it can and when the router sends it requests.
 * @param initially containers that served when the change began
 * @param changes in any order
 * @param routes in any order; none where no router decides who gets requests
 * @returns milliseconds between `fromMs` and `toMs` in which no container served
 */
export function outageMs(
  initially: readonly string[],
  changes: readonly ServingChange[],
  fromMs: number,
  toMs: number,
  routes: readonly RouteChange[] = [],
): number {
  const able = new Set(initially);
  let routed: readonly RouteChange['route'][] = [];
  const nobody = (): boolean => ![...able].some((id) => routed.every((route) => gets(route, id)));
  let emptySince = nobody() ? fromMs : undefined;
  let total = 0;
  for (const change of [...changes, ...routes].sort((a, b) => a.atMs - b.atMs)) {
    const atMs = Math.min(Math.max(change.atMs, fromMs), toMs);
    if ('route' in change) routed = change.route.who === 'drain' ? [...routed, change.route] : [change.route];
    else if (change.serves) able.add(change.container);
    else able.delete(change.container);
    if (nobody()) emptySince ??= atMs;
    else if (emptySince !== undefined) {
      total += atMs - emptySince;
      emptySince = undefined;
    }
  }
  return total + (emptySince === undefined ? 0 : Math.max(0, toMs - emptySince));
}

function gets(route: RouteChange['route'], container: string): boolean {
  switch (route.who) {
    case 'only':
      return route.containers.includes(container);
    case 'all-but':
      return !route.containers.includes(container);
    case 'new':
      return route.percent < 100 || !route.old.includes(container);
    case 'drain':
      return !isIn(route.containers, container);
  }
}

function isIn(set: ContainerSet, container: string): boolean {
  return set.are === 'these' ? set.containers.includes(container) : !set.than.includes(container);
}
