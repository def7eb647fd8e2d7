import { ProcedureError } from '../../model/errors.js';
import type { ServerState } from '../haproxy-runtime.js';
import { SLOTS, slotName, type EdgeSetting, type SlotServer } from './config.js';

/** A container and its share, as the router is told. */
export interface Wanted {
  readonly container: string;
  readonly weight: number;
}

/** First twelve digits of an id: what Docker's DNS knows a container by, whatever it is renamed to. */
export const shortId = (container: string): string => container.slice(0, 12);

/**
 * Who has which slot. A container keeps its own; a new one gets a slot that was never used, as long as there is one, so
 * that what is counted for the slot was counted for it; else the one that is free.
 * @param used numbers of slots that have counted something, or have something in flight
 * @throws ProcedureError E_ROUTER when there are more containers than slots
 */
export function assignSlots(
  current: EdgeSetting,
  wanted: readonly Wanted[],
  used: ReadonlySet<number>,
): readonly SlotServer[] {
  if (wanted.length > SLOTS) {
    throw new ProcedureError('E_ROUTER', `The edge has room for ${SLOTS} containers, and there are ${wanted.length}`, {
      next: 'Lower the number of replicas. Nothing was changed.',
    });
  }
  const kept = new Map(current.servers.map(({ container, slot }) => [container, slot]));
  const taken = new Set(wanted.flatMap(({ container }) => kept.get(shortId(container)) ?? []));
  const before = new Set(current.servers.map(({ slot }) => slot));
  const free = Array.from({ length: SLOTS }, (_, index) => index + 1)
    .filter((slot) => !taken.has(slot))
    .sort((one, other) => rank(one) - rank(other) || one - other);
  function rank(slot: number): number {
    return (used.has(slot) ? 1 : 0) + (before.has(slot) ? 2 : 0);
  }
  return wanted.map(({ container, weight }) => {
    const slot = kept.get(shortId(container)) ?? free.shift() ?? 0;
    return { slot, container: shortId(container), weight };
  });
}

/** Gives containers that are new to a backend their slots, without a request yet. */
export function preparing(
  backend: string,
  servers: readonly SlotServer[],
  states: readonly ServerState[],
): readonly string[] {
  return servers.flatMap(({ slot, container }) => {
    const name = slotName(slot);
    if (states.some((state) => state.name === name && state.fqdn === container)) return [];
    const server = `set server ${backend}/${name}`;
    // In maintenance first: with a name and no address yet, HAProxy sends to 0.0.0.0 (measured, 3.0.11).
    return [`${server} state maint`, `${server} fqdn ${container}`];
  });
}

/**
 * From now on these containers get the requests: first those that shall serve, then those that shall not, so that there is
 * always one.
 * @param self a name that is always known: what has left a slot is not to be asked for
 */
export function switching(
  backend: string,
  servers: readonly SlotServer[],
  states: readonly ServerState[],
  self: string,
): readonly string[] {
  const named = (slot: number): string => `set server ${backend}/${slotName(slot)}`;
  const ready = servers.filter(({ weight }) => weight > 0);
  const drained = servers.filter(({ weight }) => weight === 0);
  const ours = new Set(servers.map(({ slot }) => slotName(slot)));
  const left = states.filter((state) => state.fqdn !== undefined && !ours.has(state.name) && state.fqdn !== self);
  return [
    ...ready.flatMap(({ slot, weight }) => [`${named(slot)} weight ${weight}`, `${named(slot)} state ready`]),
    ...drained.map(({ slot }) => `${named(slot)} state drain`),
    ...left.flatMap(({ name }) => [
      `set server ${backend}/${name} state maint`,
      `set server ${backend}/${name} fqdn ${self}`,
    ]),
  ];
}

/** @returns whose name has no address yet; undefined when all that shall serve have one */
export function unresolved(servers: readonly SlotServer[], states: readonly ServerState[]): string | undefined {
  const lost = servers.find(
    ({ slot, weight }) => weight > 0 && states.find(({ name }) => name === slotName(slot))?.address === undefined,
  );
  return lost && `${lost.container} has no address on a network of the edge`;
}

/** @returns what is not yet as it shall be; undefined when HAProxy has it all */
export function unsettled(servers: readonly SlotServer[], states: readonly ServerState[]): string | undefined {
  for (const { slot, container, weight } of servers) {
    const state = states.find(({ name }) => name === slotName(slot));
    if (state?.fqdn !== container) return `${container} is not in its slot`;
    if (weight > 0 && state.unresolved) return `${container} has no address on a network of the edge`;
    if (weight > 0 && !state.usable) return `${container} takes no connections`;
    if (weight === 0 && state.usable) return `${container} still gets requests`;
  }
  const expected = new Set(servers.map(({ slot }) => slotName(slot)));
  const other = states.find(({ name, usable }) => usable && !expected.has(name));
  return other === undefined ? undefined : `${other.fqdn ?? other.name} still gets requests`;
}
