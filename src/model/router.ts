/**
 * What sends requests to the containers of a service, as plain data: it stands in the plan and in the journal, and
 * whoever recovers a killed run finds the router by it.
 */
export type RouterSpec =
  /** Ours: one HAProxy container for the service, in a compose project of its own; it has the published ports. */
  | { readonly kind: 'edge' }
  /** The user's own HAProxy, by its Runtime API. */
  | {
      readonly kind: 'haproxy';
      /** Path of a unix socket on this host, or `tcp://HOST:PORT`. */
      readonly socket: string;
      readonly backend: string;
      /** Port of the container that the backend's servers are reached at; undefined: the first one it exposes. */
      readonly port: number | undefined;
      /** Network that HAProxy reaches the containers on; undefined: the one they are in. */
      readonly network: string | undefined;
      /** What the servers are added with, such as `check ssl verify none`; undefined: a health check. */
      readonly options: string | undefined;
    }
  /** The user's own Caddy, by its admin API. */
  | {
      readonly kind: 'caddy';
      /** `http://127.0.0.1:2019` */
      readonly admin: string;
      /** `@id` of the reverse_proxy handler whose upstreams are the service's containers. */
      readonly id: string;
      readonly port: number | undefined;
      /** Network that Caddy reaches the containers on; undefined: the one they are in. */
      readonly network: string | undefined;
      /** What the handler dials between changes, such as `app:3000`; undefined: the containers' addresses. */
      readonly dial: string | undefined;
    }
  /** A proxy that follows Docker by itself: Traefik, nginx-proxy, caddy-docker-proxy. */
  | {
      readonly kind: 'discovery';
      /** How long the proxy may take to follow what Docker shows; milliseconds. */
      readonly settleMs: number;
      /** Runs in the old container before it stops, such as one that makes its health check fail. */
      readonly drainCommand: string | undefined;
      /** Takes that back: an old container that was drained is to serve again. */
      readonly resumeCommand: string | undefined;
    }
  | { readonly kind: 'none' };

/** Proxies that follow Docker's events do so within a second; those that ask every so often, within a few. */
export const DEFAULT_DISCOVERY = {
  kind: 'discovery',
  settleMs: 5_000,
  drainCommand: undefined,
  resumeCommand: undefined,
} as const satisfies RouterSpec;

export type RouterKind = RouterSpec['kind'];
export const ROUTERS = ['edge', 'haproxy', 'caddy', 'discovery', 'none'] as const satisfies readonly RouterKind[];

/** What a kind of router can do; strategies plan with it, the plan tells it. */
export interface RouterAbilities {
  /** It is told who serves. Without that it finds out by itself. */
  readonly controlled: boolean;
  /** Gives a share of the requests to some containers: canary. */
  readonly weights: boolean;
  /** Says how many requests are in flight at a container, so that a drain is confirmed. */
  readonly countsInFlight: boolean;
  /** Counts answers, errors and times for each container: what a canary is judged by. */
  readonly countsAnswers: boolean;
  /** Keeps requests waiting, within bounds, while nothing serves. */
  readonly holds: boolean;
  /** It has the service's name on the compose networks, so that callers inside are routed as well. */
  readonly ownsName: boolean;
}

export const ROUTER_ABILITIES: Readonly<Record<RouterKind, RouterAbilities>> = {
  edge: {
    controlled: true,
    weights: true,
    countsInFlight: true,
    countsAnswers: true,
    holds: true,
    ownsName: true,
  },
  haproxy: {
    controlled: true,
    weights: true,
    countsInFlight: true,
    countsAnswers: true,
    holds: false,
    ownsName: false,
  },
  caddy: {
    controlled: true,
    weights: false,
    countsInFlight: true,
    countsAnswers: false,
    holds: false,
    ownsName: false,
  },
  discovery: {
    controlled: false,
    weights: false,
    countsInFlight: false,
    countsAnswers: false,
    holds: false,
    ownsName: false,
  },
  none: {
    controlled: false,
    weights: false,
    countsInFlight: false,
    countsAnswers: false,
    holds: false,
    ownsName: false,
  },
};

/** It is told addresses, and inside the compose network the service's name leads past it: the user's own proxy. */
export function routesByAddress(kind: RouterKind): boolean {
  const { controlled, ownsName } = ROUTER_ABILITIES[kind];
  return controlled && !ownsName;
}

/** Which containers of a service, by what is known of them. */
export type ContainerSet =
  | { readonly are: 'these'; readonly containers: readonly string[] }
  /** All of the service but these. */
  | { readonly are: 'others'; readonly than: readonly string[] };

/** Who gets new requests. */
export type Serve =
  /** These alone; all others are drained. */
  | { readonly who: 'only'; readonly containers: readonly string[] }
  /** All of the service, in equal shares, but these, which are drained. */
  | { readonly who: 'all-but'; readonly containers: readonly string[] }
  /** The new ones get `percent` of the requests and the old ones the rest. */
  | { readonly who: 'new'; readonly old: readonly string[]; readonly percent: number };
