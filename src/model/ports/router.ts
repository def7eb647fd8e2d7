import type { RouterSpec } from '../router.js';
import type { ObservedContainer } from '../service.js';

/** One container of the service as the router is to treat it. */
export interface RouteTarget {
  readonly container: ObservedContainer;
  /**
   * Share of new requests, relative to the others: 0 to 100. 0 drains: no new requests, what is in flight goes on.
   */
  readonly weight: number;
}

/** What a router counted for one container since it was routed to. */
export interface RouteCount {
  readonly container: string;
  readonly requests: number;
  /** Answers 5xx, refused and broken connections. */
  readonly failures: number;
  /** Average time of the last answers in milliseconds; undefined before the first. */
  readonly averageMs: number | undefined;
}

/**
 * Sends requests to the containers of one service. Implemented in `src/routers`, one file a kind.
 * Every call has a deadline and throws ProcedureError with E_ROUTER; every call may be repeated.
 */
export interface Router {
  readonly spec: RouterSpec;
  /**
   * From now on exactly these containers get new requests, by weight; a container that is not named is forgotten, and
   * what it has in flight may be cut. Takes effect for all of them at once as far as the router can, and lasts: after a
   * restart of the router the same set is live. Resolves when the router has confirmed it.
   * @param when `settled`: these are all there are, and no change is under way any more: the router may find them in a way
   * of its own from now on, such as by their name
   */
  apply(targets: readonly RouteTarget[], signal: AbortSignal, when?: 'changing' | 'settled'): Promise<void>;
  /** @returns container ids that get new requests now, as the router itself says; undefined when it cannot say */
  serving(): Promise<readonly string[] | undefined>;
  /** @returns requests and connections in flight at a container; undefined when the router cannot say */
  inFlight(container: string): Promise<number | undefined>;
  /** Ends what is in flight at a container. @returns how many there were */
  cut(container: string): Promise<number>;
  /** @returns what was counted, by container; empty when the router does not count */
  counts(): Promise<readonly RouteCount[]>;
  /** Keeps new requests waiting, until `release`, for `maxMs` and at most `maxQueue` of them at a time; others get 503. */
  hold(limits: { readonly maxMs: number; readonly maxQueue: number }, signal: AbortSignal): Promise<void>;
  release(signal: AbortSignal): Promise<void>;
  /** @returns what is not as it should be while nothing changes, a sentence each; changes nothing */
  problems(): Promise<readonly string[]>;
}

/** Opens the router of a service. */
export interface Routers {
  /** @throws ProcedureError E_ROUTER when it does not answer, or has no such backend, with what to do */
  open(spec: RouterSpec, of: { readonly project: string; readonly service: string }): Promise<Router>;
}
