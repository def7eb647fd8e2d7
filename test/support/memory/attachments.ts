import type { Container, Endpoint, HostPort } from './container.js';
import { Refusal } from './faults.js';
import type { Networks } from './resources.js';

/** Where the engine begins to look for a port of the host. */
const FIRST_EPHEMERAL = 32_768;

/** Gives an endpoint the lowest address of its network that nobody has. @param all containers of the engine */
export function attach(all: readonly Container[], networks: Networks, name: string, endpoint: Endpoint): void {
  if (name === 'none' || name === 'host') return;
  const network = networks.find(endpoint.network ?? name);
  if (network === undefined) throw new Refusal(404, `network ${endpoint.network ?? name} not found`);
  endpoint.network = network.id;
  const taken = new Set(all.flatMap(({ endpoints }) => [...endpoints.values()].map(({ address }) => address)));
  let last = 2;
  while (taken.has(`${network.prefix}.0.${last}`)) last += 1;
  endpoint.address = `${network.prefix}.0.${last}`;
}

/** @param all containers of the engine @returns the ports of the host that it gets; a port has one owner */
export function portsFor(all: readonly Container[], container: Container): readonly HostPort[] {
  const taken = all.flatMap(({ hostPorts }) => hostPorts);
  const isTaken = (port: HostPort): boolean => taken.some((other) => collide(port, other));
  return container.spec.ports.map((port) => {
    let published = port.published ?? FIRST_EPHEMERAL;
    while (port.published === undefined && isTaken({ ...port, published })) published += 1;
    const wanted = { ...port, published };
    if (isTaken(wanted)) {
      const endpoint = `driver failed programming external connectivity on endpoint ${container.name}`;
      const address = `${port.ip === '' ? '0.0.0.0' : port.ip}:${published}`;
      throw new Refusal(500, `${endpoint}: Bind for ${address} failed: port is already allocated`);
    }
    taken.push(wanted);
    return wanted;
  });
}

function collide(one: HostPort, other: HostPort): boolean {
  if (one.published !== other.published || one.protocol !== other.protocol) return false;
  const every = (ip: string): boolean => ip === '' || ip === '0.0.0.0';
  return one.ip === other.ip || every(one.ip) || every(other.ip);
}
