import { ProcedureError } from '../model/errors.js';
import type { ObservedContainer } from '../model/service.js';

/** Where a router that is told addresses reaches the containers of a service. */
export interface Reach {
  readonly project: string;
  readonly service: string;
  readonly port: number | undefined;
  readonly network: string | undefined;
}

export interface Address {
  readonly address: string;
  readonly port: number;
}

/**
 * @returns where the container is reached: on the network that is said or the only one, at the port that is said or the first
 * one it exposes; undefined when it has no address there now
 * @throws ProcedureError E_ROUTER when that is not clear: a guess that is wrong would be an outage
 */
export function addressOf(container: ObservedContainer, reach: Reach): Address | undefined {
  const address = networkOf(container, reach)?.address;
  return address === undefined ? undefined : { address, port: portOf(container, reach) };
}

/** @returns the names by which Docker's DNS leads to containers of the service */
export function namesOf(containers: readonly ObservedContainer[], service: string): ReadonlySet<string> {
  return new Set([
    service,
    ...containers.flatMap(({ name, networks }) => [name, ...Object.values(networks).flatMap(({ names }) => names)]),
  ]);
}

/** `10.0.0.2:80`, `[fd00::2]:80` */
export function written({ address, port }: Address): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}

function networkOf({ name, networks }: ObservedContainer, reach: Reach): { address: string | undefined } | undefined {
  const { network, project, service } = reach;
  if (network !== undefined) {
    const found = networks[network] ?? networks[`${project}_${network}`];
    if (found !== undefined) return found;
    throw unclear(
      `${name} is not in the network ${network}`,
      `It is in ${Object.keys(networks).join(', ') || 'none'}.`,
    );
  }
  const [only, ...others] = Object.values(networks);
  if (others.length === 0) return only;
  throw unclear(
    `${name} is in several networks, and nothing says on which of them the router reaches it`,
    `Say so in the compose file, beside the router of ${service}: network: one of ${Object.keys(networks).join(', ')}.`,
  );
}

function portOf({ name, exposedPorts }: ObservedContainer, { port, service }: Reach): number {
  const known = port ?? exposedPorts[0];
  if (known !== undefined) return known;
  throw unclear(
    `${name} exposes no port, and nothing says which one it serves on`,
    `Say so in the compose file, beside the router of ${service}: port: 3000.`,
  );
}

function unclear(what: string, next: string): ProcedureError {
  return new ProcedureError('E_ROUTER', what, { next });
}
