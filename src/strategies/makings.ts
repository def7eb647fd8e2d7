import { createsContainers, traitsOf, type Operation } from '../operations/operation.js';

/** How a plan comes to the containers of a service. */
export type Making =
  /** Compose makes a container in the place of each, and hands over what it can. */
  | { readonly how: 'in-place'; readonly replicas: number }
  /** Compose makes containers after the ones before were removed: there is nothing to hand over. */
  | { readonly how: 'anew' }
  /** A copy is made through the API, whether the one before still runs or not. */
  | { readonly how: 'copy'; readonly published: boolean }
  /** The same container is stopped and started. */
  | { readonly how: 'restart' };

/**
 * @returns whether the operation creates containers or restarts them. Starting and unpausing the same containers is not among it:
 * an undo does that, and nothing may keep it from doing so.
 */
export function makesContainers(operation: Operation): boolean {
  return createsContainers(operation) || traitsOf(operation).containers === 'restarts';
}

/** @returns every way in which operations come to containers of their service */
export function makingsOf(operations: readonly Operation[], removedFirst: boolean): readonly Making[] {
  const found: Making[] = [];
  let [removed, ended] = [removedFirst, false];
  for (const operation of operations) {
    const effect = traitsOf(operation).containers;
    removed ||= effect === 'removes';
    ended ||= effect === 'stops' || effect === 'kills';
    if (operation.kind === 'replace-containers') {
      found.push(removed ? { how: 'anew' } : { how: 'in-place', replicas: operation.replicas });
    }
    if (operation.kind === 'start-beside') found.push({ how: 'copy', published: operation.published });
    const thaws = operation.kind === 'thaw-data' && operation.how === 'stop';
    if (effect === 'restarts' || thaws || (effect === 'starts' && ended)) found.push({ how: 'restart' });
  }
  return found;
}
