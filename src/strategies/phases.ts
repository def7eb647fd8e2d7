import type { Operation } from '../operations/operation.js';
import { ROUTER_ABILITIES, routesByAddress, type RouterSpec } from '../model/router.js';
import type { Change, UndoChange } from './strategy.js';

/**
 * What strategies have in common, each a piece of a plan. Read `blue-green.ts` for how they go together.
 */

/** Before anything that runs is touched: evidence, the way back, the checkout, the image's name. */
export function begin(change: Change): readonly Operation[] {
  const { service, current } = change;
  return [
    { kind: 'capture-evidence', service, moment: 'before' },
    ...(current !== undefined && current.keepAs.length > 0
      ? [{ kind: 'keep-image' as const, service, image: current.image, tags: current.keepAs }]
      : []),
    ...(change.checkout === undefined ? [] : [{ kind: 'move-checkout' as const, ...change.checkout }]),
    {
      kind: 'tag-image',
      service,
      tag: change.imageName,
      to: change.wantedImage,
      from: change.namedImage,
    },
    ...mendWay(change),
  ];
}

/** What sends the requests is put in order first: what is changed or started behind it is to be reached. */
export function mendWay({
  service,
  traffic: { repair, discard, drainTimeoutMs },
}: Pick<Change, 'service' | 'traffic'>): readonly Operation[] {
  if (discard === true) return [{ kind: 'remove-edge', service }];
  return repair === undefined ? [] : [{ kind: 'repair-edge', service, ports: repair, timeoutMs: drainTimeoutMs }];
}

/** The edge is made and already sends to what runs; new connections come through it from now on where the host allows it. */
export function beginTakeover(change: Change): readonly Operation[] {
  const {
    service,
    observed,
    traffic: { takeover },
  } = change;
  if (takeover === undefined) return takeHold(change);
  const { edge, redirectProblem } = takeover;
  const ports = edge.ports.map((port) => port.published);
  const install: Operation = { kind: 'install-edge', service, edge, containers: ids(observed) };
  return redirectProblem === undefined ? [install, { kind: 'redirect-ports', service, ports }] : [install];
}

/**
 * A router that knows the containers by the service's name would send to a new one as soon as it has the name: from now on
 * it sends to those that run, by address. Whether it can be told at all is known before anything is touched.
 */
function takeHold({ service, observed, traffic: { router } }: Change): readonly Operation[] {
  const running = ids(observed.filter(({ state }) => state === 'running'));
  if (!routesByAddress(router.kind) || running.length === 0) return [];
  return [{ kind: 'shift-traffic', service, router, serve: { who: 'only', containers: running } }];
}

/** All there is of the service serves: a router that is told addresses is told the last time, and may go by name again. */
export function letGo(service: string, router: RouterSpec): readonly Operation[] {
  if (!routesByAddress(router.kind)) return [];
  return [{ kind: 'shift-traffic', service, router, serve: { who: 'all-but', containers: [] } }];
}

/** The old container is gone, and its ports are free: the edge opens them. */
export function endTakeover({ service, traffic: { takeover, drainTimeoutMs } }: Change): readonly Operation[] {
  if (takeover === undefined) return [];
  return openEdge(
    service,
    takeover.edge.ports.map((port) => port.published),
    takeover.redirectProblem === undefined,
    drainTimeoutMs,
  );
}

export function openEdge(
  service: string,
  ports: readonly string[],
  redirected: boolean,
  timeoutMs: number,
): readonly Operation[] {
  return [
    { kind: 'open-ports', service, ports },
    ...(redirected ? [{ kind: 'end-redirect' as const, service, ports }] : []),
    { kind: 'end-takeover', service, timeoutMs },
  ];
}

/** New containers beside the old ones, ready, and proven before they get a single request. */
export function startCandidates(change: Change, count: number): readonly Operation[] {
  const { service, wanted } = change;
  const old = ids(change.observed);
  return [
    {
      kind: 'start-beside',
      service,
      to: wanted,
      from: change.current?.id,
      count,
      beside: old,
      published: false,
      named: false,
    },
    {
      kind: 'await-ready',
      service,
      release: wanted,
      timeoutMs: change.readinessTimeoutMs,
      except: old,
      ...tolerated(change),
    },
    ...nameCandidates(change),
  ];
}

/** Without a router that has the service's name, the new ones get it when they are ready, and not before. */
function nameCandidates({ service, traffic: { router }, observed }: Change): readonly Operation[] {
  if (ROUTER_ABILITIES[router.kind].ownsName) return [];
  return [{ kind: 'settle-containers', service, containerName: undefined, named: true, except: ids(observed) }];
}

/** Docker's `max_failure_ratio`: that share of the containers may fail and is made once more. */
function tolerated({ update, replicas }: Change): { readonly tolerate?: number } {
  const ratio = update.failureAction === 'continue' ? 1 : (update.maxFailureRatio ?? 0);
  const tolerate = Math.floor(ratio * replicas + 1e-9);
  return tolerate === 0 ? {} : { tolerate };
}

/** Everything that can be found out without a request of anybody's. */
export function verifyCandidates({ service, wanted, checks, observed }: Change): Operation {
  // The prober asks the public URL, which the candidates do not serve yet.
  const without = checks.filter((check) => check !== 'probe');
  return { kind: 'verify', service, release: wanted, checks: without, except: ids(observed), candidate: true };
}

/** After the switch only what the switch can have changed. */
export function verifySwitched({ service, wanted, checks }: Change, except: readonly string[]): Operation {
  const again = checks.filter((check) => ['state', 'identity', 'probe'].includes(check));
  return { kind: 'verify', service, release: wanted, checks: again, except };
}

export function watchAndAccept({ service, wanted, watchMs }: Change, except: readonly string[]): readonly Operation[] {
  return [
    { kind: 'watch', service, release: wanted, durationMs: watchMs, except },
    { kind: 'accept-release', service, release: wanted },
  ];
}

/** The old ones finish what they have in flight, confirmed, and only then stop. */
export function retireOld({ service, traffic }: Change, containers: readonly string[]): readonly Operation[] {
  if (containers.length === 0) return [];
  const set = { are: 'these', containers } as const;
  return [
    {
      kind: 'drain-containers',
      service,
      router: traffic.router,
      containers: set,
      timeoutMs: traffic.drainTimeoutMs,
    },
    { kind: 'retire-containers', service, containers: set },
  ];
}

/** The name of the container that is gone is free now, and nothing is under way any more. */
export function settle({ service, containerName, traffic: { router } }: Change): readonly Operation[] {
  const named: readonly Operation[] =
    containerName === undefined
      ? []
      : [{ kind: 'settle-containers', service, containerName, named: false, except: [] }];
  return [...named, ...letGo(service, router)];
}

export function end({ service }: Change): readonly Operation[] {
  return [{ kind: 'capture-evidence', service, moment: 'after' }];
}

/** Checkout and image names go back first, as what comes back needs them. */
export function beginUndo(change: UndoChange): readonly Operation[] {
  const { service } = change;
  return [
    ...(change.checkout === undefined ? [] : [{ kind: 'move-checkout' as const, ...change.checkout }]),
    ...change.tags.map((tag) => ({ kind: 'tag-image' as const, service, ...tag })),
  ];
}

export function endUndo(change: UndoChange): readonly Operation[] {
  const { service, back } = change;
  return [
    { kind: 'verify', service, release: back, checks: change.checks },
    { kind: 'accept-release', service, release: back },
    ...(change.reason === undefined
      ? []
      : [{ kind: 'reject-release' as const, service, release: change.failed, reason: change.reason }]),
  ];
}

export function ids(containers: readonly { readonly id: string }[]): readonly string[] {
  return containers.map((container) => container.id);
}
