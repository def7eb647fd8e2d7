import type { EdgePort, EdgeSpec, EdgeState } from '../edge.js';
import type { ObservedContainer } from '../service.js';
import type { RouteTarget } from './router.js';

/**
 * Installs and removes the managed edge. Implemented in `src/routers`. Every call may be repeated, and finds out from the
 * engine how far an earlier one got.
 */
export interface Edges {
  /** Undefined when the service has none. */
  find(project: string, service: string): Promise<EdgeState | undefined>;
  /** @returns version of the HAProxy that runs, such as `3.0.11`; undefined when none does */
  version(project: string, service: string): Promise<string | undefined>;
  /** Makes sure that the engine has the image, with HAProxy 3.0 or newer in it. @throws E_ROUTER, E_PULL */
  requireImage(project: string, service: string, image: string, signal: AbortSignal): Promise<void>;
  /** @returns `http` when the container's port answers HTTP, else `tcp` */
  modeOf(
    project: string,
    container: ObservedContainer,
    port: number,
    through: EdgeSpec['image'],
  ): Promise<EdgePort['mode']>;
  /**
   * Makes the edge and its take-over container, which has other ports and already sends to `targets`. Nothing reaches
   * it yet, and nothing of the service is touched.
   */
  install(spec: EdgeSpec, targets: readonly RouteTarget[], signal: AbortSignal): Promise<void>;
  /** @returns why the host cannot redirect ports for some seconds; undefined when it can */
  redirectProblem(spec: EdgeSpec): Promise<string | undefined>;
  /** New connections to the published ports reach the take-over container from now on. */
  redirect(project: string, service: string, signal: AbortSignal): Promise<void>;
  /** Opens the published ports on the edge itself, once nothing else has them, and confirms that it listens. */
  open(project: string, service: string, signal: AbortSignal): Promise<void>;
  /** Frees the published ports again: they are redirected, or nothing listens there. */
  close(project: string, service: string, signal: AbortSignal): Promise<void>;
  /** Takes the redirect away. */
  endRedirect(project: string, service: string): Promise<void>;
  /** Lets the take-over container finish what it has in flight, then removes it. @returns connections that were cut */
  endTakeover(project: string, service: string, drainTimeoutMs: number, signal: AbortSignal): Promise<number>;
  /** Removes every trace of the edge. */
  remove(project: string, service: string): Promise<void>;
}
