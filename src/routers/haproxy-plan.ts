import type { ServerState } from './haproxy-runtime.js';
import { written, type Address } from './addresses.js';

/** A container of the service, and where HAProxy reaches it. */
export interface Target extends Address {
  readonly container: string;
  /** 0: no new requests. */
  readonly weight: number;
}

/** What a backend has, as far as it matters who gets requests. */
export interface Backend {
  readonly name: string;
  readonly servers: readonly ServerState[];
  /** Names of servers that get requests only when no other can: an excuse page, left alone. */
  readonly backups: ReadonlySet<string>;
  /** What the last health check of a server found, by its name. */
  readonly checks: ReadonlyMap<string, string>;
  /** Names by which Docker's DNS leads to containers of the service. */
  readonly names: ReadonlySet<string>;
}

/**
 * HAProxy's health check shows that it reaches the container before it sends a request there. The check asks what the backend says
 * (`option httpchk`); otherwise it opens a connection. `inter` is also its timeout, so a shorter one takes a busy container for a
 * dead one. A server that was just added counts as down, so the first check comes after `downinter` (measured with 3.0.11: 110 ms
 * with 100 ms, 1,005 ms without it).
 */
export const DEFAULT_OPTIONS = 'check inter 1s downinter 100ms rise 1 fall 5';

const OWN = /^rr-[0-9a-f]{12}$/;
/** Servers that we add are named by the container, so that they are recognised whatever its address is by then. */
export const serverName = (container: string): string => `rr-${container.slice(0, 12)}`;
export const isOwn = ({ name }: Pick<ServerState, 'name'>): boolean => OWN.test(name);

/** @returns servers that lead to the container: ours, and those of the file that have its address */
export function serversFor(servers: readonly ServerState[], target: Omit<Target, 'weight'>): readonly ServerState[] {
  return servers.filter((server) =>
    isOwn(server)
      ? server.name === serverName(target.container)
      : server.address === target.address && server.port === target.port,
  );
}

/**
 * Adds servers for containers that shall serve and have none. They are drained: their health is checked, and no request
 * comes. A server whose container has another address by now gets it.
 */
export function preparing(backend: Backend, targets: readonly Target[], options: string): readonly string[] {
  return unprepared(backend, targets).flatMap((target) => {
    const name = serverName(target.container);
    const server = `${backend.name}/${name}`;
    const check = hasCheck(options) ? [`enable health ${server}`] : [];
    if (!backend.servers.some((one) => one.name === name)) {
      return [`add server ${server} ${written(target)} ${options}`, `set server ${server} state drain`, ...check];
    }
    const move = `set server ${server} addr ${target.address} port ${target.port}`;
    return [`set server ${server} state maint`, move, `set server ${server} state drain`, ...check];
  });
}

/** @returns containers that shall serve and are not known to HAProxy where they are now */
export function unprepared(backend: Backend, targets: readonly Target[]): readonly Target[] {
  return targets.filter(
    ({ container, weight, address, port }) =>
      weight > 0 &&
      !backend.servers.some(
        (one) => one.name === serverName(container) && one.address === address && one.port === port,
      ),
  );
}

export function hasCheck(options: string): boolean {
  return /(^|\s)check(\s|$)/.test(options);
}

/** @returns whom of those that were just added HAProxy has not reached, and what its health check found */
export function unreached({ servers, checks }: Backend, added: readonly Target[]): string | undefined {
  const lost = added.find(
    ({ container }) => servers.find(({ name }) => name === serverName(container))?.checked !== true,
  );
  if (lost === undefined) return undefined;
  const found = checks.get(serverName(lost.container)) ?? 'nothing yet';
  return `its health check of ${written(lost)} does not pass (${found})`;
}

/**
 * From now on these containers get the requests, each by a server of ours: first those that shall serve, then away from all
 * others, so that there is always one. Away is `maint` and not `drain`: what is in flight goes on in both, but only in
 * `maint` cookies do not lead there any more, and pooled connections are closed, so that the container stops at once.
 */
export function switching(backend: Backend, targets: readonly Target[]): readonly string[] {
  const ready = targets.filter(({ weight }) => weight > 0);
  const serving = new Set(ready.map(({ container }) => serverName(container)));
  return [
    ...ready.flatMap(({ container, weight }) => {
      const server = `set server ${backend.name}/${serverName(container)}`;
      return [`${server} weight ${weight}`, `${server} state ready`];
    }),
    ...backend.servers
      .filter(({ name, admin }) => !serving.has(name) && !backend.backups.has(name) && admin !== 'maint')
      .map(({ name }) => `set server ${backend.name}/${name} state maint`),
  ];
}

/** @returns what is not yet as it shall be; undefined when HAProxy has it all */
export function unsettled(backend: Backend, targets: readonly Target[]): string | undefined {
  const ready = targets.filter(({ weight }) => weight > 0);
  for (const target of ready) {
    const server = backend.servers.find(({ name }) => name === serverName(target.container));
    if (server?.usable !== true) return `${written(target)} takes no requests`;
    if (server.weight !== target.weight) return `${written(target)} has weight ${server.weight}`;
  }
  const serving = new Set(ready.map(({ container }) => serverName(container)));
  const other = backend.servers.find(({ name, usable }) => usable && !serving.has(name) && !backend.backups.has(name));
  return other && `server ${other.name} still gets requests`;
}

/** Servers of the file that find the service by its name: what a reload of HAProxy comes back to. */
export function byName({ servers, names }: Backend): readonly ServerState[] {
  return servers.filter((server) => !isOwn(server) && server.fqdn !== undefined && names.has(server.fqdn));
}

/** @returns whether those servers lead to exactly these containers, which all get the same share */
export function namesLeadTo(backend: Backend, targets: readonly Target[]): boolean {
  const found = byName(backend).flatMap((server) => (server.address === undefined ? [] : [at(server)]));
  const wanted = targets.map(written);
  return (
    found.length > 0 &&
    new Set(found).size === found.length &&
    found.length === wanted.length &&
    wanted.every((one) => found.includes(one))
  );
}

/** Back to the file's own servers. */
export function lettingGo(backend: Backend): readonly string[] {
  return byName(backend)
    .filter(({ admin }) => admin !== 'ready')
    .map(({ name }) => `set server ${backend.name}/${name} state ready`);
}

/** @returns whether the file's own servers take requests for all that they lead to */
export function namesServe(backend: Backend): boolean {
  const resolved = byName(backend).filter(({ address }) => address !== undefined);
  return resolved.length > 0 && resolved.every(({ usable }) => usable);
}

/** Servers of ours that lead to nothing that is wanted. */
export function leftOver(backend: Backend, wanted: readonly string[]): readonly ServerState[] {
  const names = new Set(wanted.map(serverName));
  return backend.servers.filter((server) => isOwn(server) && !names.has(server.name));
}

/** @returns what a person should know before the next change */
export function findings(backend: Backend, targets: readonly Target[]): readonly string[] {
  const said: string[] = [];
  const usable = backend.servers.filter(({ usable: takes, name }) => takes && !backend.backups.has(name));
  for (const server of usable) {
    const known = targets.some((target) => at(server) === written(target));
    if (known) continue;
    said.push(
      `server ${server.name} of HAProxy's backend ${backend.name} leads to ${at(server)}, which is none of the service's containers: requests go there now, and the next change takes it out`,
    );
  }
  for (const target of targets) {
    if (usable.some((server) => at(server) === written(target))) continue;
    said.push(
      `no server of HAProxy's backend ${backend.name} leads to ${target.container.slice(0, 12)} (${written(target)})`,
    );
  }
  if (byName(backend).length === 0) {
    said.push(
      `a reload of HAProxy forgets where the service is: no server of backend ${backend.name} has a name of it; docs/routers.md has the lines that do`,
    );
  }
  return said;
}

function at({ address = '', port }: ServerState): string {
  return written({ address, port });
}
