import type { EdgePort } from '../model/edge.js';
import type { Operation } from '../operations/operation.js';
import type { Borrower, Mount, ObservedContainer, PublishedPort, ServiceDefinition } from '../model/service.js';
import { makingsOf, type Making } from './makings.js';

/** What has to be known of a service to say what a change of it would lose. */
export interface Keeping {
  readonly definition: ServiceDefinition;
  readonly observed: readonly ObservedContainer[];
  /** Where the wanted image has a `VOLUME`; undefined while it is not built or pulled. */
  readonly imageVolumes: readonly string[] | undefined;
  /** Of the volumes without a name, where they are another container's (`volumes_from`): Compose hands them over again. */
  readonly lentVolumes: readonly string[];
  /** Where the definition mounts a volume or a folder that is there already: a person has brought the data over. */
  readonly filledTargets: readonly string[];
  /** Top-level configs and secrets whose content Compose copies into the container itself. */
  readonly inlineFiles: readonly string[];
  /** Ports that the service's edge has, or is about to take over; undefined: there is no edge. */
  readonly edgePorts: readonly EdgePort[] | undefined;
  /** Running containers of others that live in a container of the service, or take its volumes. */
  readonly borrowers: readonly Borrower[];
  /** Compose hands volumes without a name over to the container that it makes in the place of another. */
  readonly composeKeepsVolumes: boolean;
  /** Its containers are removed before the plan of the service begins. */
  readonly removedFirst: boolean;
}

/** `host-port`: it stays with the container that has it, so that a second one cannot run beside that. */
export type Part = 'volume' | 'port' | 'host-port' | 'namespace' | 'file';

/** One part of a service that a change would lose. */
export interface Loss {
  readonly part: Part;
  /** What is lost and why, after the name of the service or `because`. */
  readonly why: string;
  /** What to do, after `To change that:`. */
  readonly change: string;
}

/** @returns all that a plan of the service would lose; empty when it keeps everything. Pure. */
export function lossesOf(keeping: Keeping, operations: readonly Operation[]): readonly Loss[] {
  const all = makingsOf(operations, keeping.removedFirst).flatMap((making) => losses(keeping, making));
  return all.filter(({ why }, index) => all.findIndex((other) => other.why === why) === index);
}

/** @returns what one way of making containers loses */
export function losses(keeping: Keeping, making: Making): readonly Loss[] {
  return [
    ...volumeLosses(keeping, making),
    ...(making.how === 'copy' ? [...portLosses(keeping, making.published), ...copyLosses(keeping)] : []),
    ...borrowerLosses(keeping, making),
  ];
}

/** @returns targets of volumes without a name of which only the image will tell whether they are handed over */
export function undecidedVolumes(keeping: Keeping, operations: readonly Operation[]): readonly string[] {
  const inPlace = makingsOf(operations, keeping.removedFirst).some(({ how }) => how === 'in-place');
  if (!inPlace || keeping.imageVolumes !== undefined) return [];
  return ownVolumes(keeping).filter((target) => !isAnonymous(keeping, target) && !isMounted(keeping, target));
}

function volumeLosses(keeping: Keeping, making: Making): readonly Loss[] {
  if (making.how === 'restart') return [];
  const { definition, observed, composeKeepsVolumes } = keeping;
  const all = ownVolumes(keeping);
  const replaced = all.filter((target) => isMounted(keeping, target));
  const own = all.filter((target) => !replaced.includes(target));
  const empty = replaced.filter((target) => !keeping.filledTargets.includes(target));
  const found = empty.map((target) =>
    volumeLoss(
      `what is to be mounted at ${target} does not exist yet, and its volume without a name there stays behind`,
    ),
  );
  if (own.length === 0) return found;
  const what = `its volume without a name at ${own.join(', ')}`;
  if (making.how !== 'in-place') return [...found, volumeLoss(`${what} stays behind with the container of today`)];
  if (!composeKeepsVolumes) {
    const why = `this Docker Compose may leave ${what} behind, since ${definition.name} depends on other services`;
    return [...found, { part: 'volume', why, change: 'upgrade Docker Compose to 2.29.3 or newer' }];
  }
  if (making.replicas !== observed.length) {
    const why = `${making.replicas} instead of ${observed.length} of its containers are to run, and each has ${what} for itself`;
    return [...found, volumeLoss(why)];
  }
  const { imageVolumes } = keeping;
  const dropped = own.filter((target) => !isAnonymous(keeping, target) && imageVolumes?.includes(target) === false);
  return [
    ...found,
    ...dropped.map((target) =>
      volumeLoss(
        `its volume without a name at ${target} stays behind: the new image and the compose file have none there`,
      ),
    ),
  ];
}

function volumeLoss(why: string): Loss {
  return {
    part: 'volume',
    why,
    change: 'copy its data into a volume with a name and mount that (docs/zero-downtime.md, "Volumes without a name")',
  };
}

function ownVolumes({ observed, lentVolumes }: Keeping): readonly string[] {
  const targets = new Set(observed.flatMap(({ anonymousVolumes }) => anonymousVolumes));
  return [...targets].filter((target) => !lentVolumes.includes(target));
}

/**
 * Compose compares the paths letter by letter: it does not hand over what the image calls `/data/` and the engine `/data`
 * (compose, pkg/compose/create.go, buildContainerMountOptions; seen with 2.26.1).
 */
function isAnonymous({ definition }: Keeping, target: string): boolean {
  return definition.mounts.some((mount) => isNameless(mount) && mount.target === target);
}

function isMounted({ definition }: Keeping, target: string): boolean {
  return definition.mounts.some((mount) => !isNameless(mount) && withoutSlash(mount.target) === target);
}

function isNameless({ type, source }: Mount): boolean {
  return type === 'volume' && source === undefined;
}

/** @returns the path as the engine writes it */
export function withoutSlash(target: string): string {
  return target.length > 1 ? target.replace(/\/+$/, '') : target;
}

/** @returns ports of a definition that an edge can have: TCP, and one number of the host for one of the container */
export function edgeCanHave(port: PublishedPort): port is PublishedPort & { readonly published: string } {
  return port.protocol === 'tcp' && port.published !== undefined && /^\d+$/.test(port.published);
}

function portLosses({ definition, edgePorts }: Keeping, published: boolean): readonly Loss[] {
  if (published) return [];
  const left = definition.ports.filter((port) => !(edgePorts ?? []).some((edge) => isSamePort(edge, port)));
  const special = left.filter((port) => !edgeCanHave(port)).map(portWords);
  const fixed = left.filter(edgeCanHave).map(({ published: port }) => port);
  const found: Loss[] = [];
  if (special.length > 0) {
    found.push({
      part: 'port',
      why: `it publishes ${special.join(', ')}, and no router here carries that`,
      change:
        edgePorts === undefined
          ? 'publish fixed TCP ports only, or accept the outage'
          : 'publish fixed TCP ports only, or use strategy: recreate without an edge (procedure eject takes one away)',
    });
  }
  if (fixed.length > 0) {
    found.push(
      edgePorts === undefined
        ? {
            part: 'host-port',
            why: `it publishes port ${fixed.join(', ')} of the host, which two containers cannot have`,
            change: 'let the managed edge have the port: router: edge',
          }
        : {
            part: 'port',
            why: `its edge does not have port ${fixed.join(', ')} as the compose file publishes it`,
            change: 'take the edge away with procedure eject, and let the next change with router: edge make it again',
          },
    );
  }
  return found;
}

function isSamePort(edge: EdgePort, port: PublishedPort): boolean {
  return (
    edgeCanHave(port) &&
    edge.published === port.published &&
    edge.target === port.target &&
    (edge.hostIp ?? '') === (port.hostIp ?? '')
  );
}

function portWords({ target, published, protocol }: PublishedPort): string {
  if (protocol === 'udp') return `UDP port ${published ?? `${target} (at a port that the engine chooses)`}`;
  if (protocol === 'other') return `port ${published ?? target} that is neither TCP nor UDP`;
  if (published === undefined) return `port ${target} at a port that the engine chooses`;
  return `port ${target} at one of ${published}`;
}

/** What Compose gives a container that it makes itself, and a copy through the API does not get. */
function copyLosses({ definition, inlineFiles }: Keeping): readonly Loss[] {
  const { raw, networkMode } = definition;
  const found: Loss[] = [];
  const modes = [
    ['network_mode', networkMode],
    ['pid', raw['pid']],
    ['ipc', raw['ipc']],
  ] as const;
  for (const [key, value] of modes) {
    if (typeof value !== 'string' || !/^(service|container):/.test(value)) continue;
    const change = key === 'network_mode' ? 'put it on a network of the project' : `remove ${key}`;
    found.push({ part: 'namespace', why: `${key}: ${value} ties it to another container`, change });
  }
  if (raw['volumes_from'] !== undefined) {
    found.push({ part: 'namespace', why: 'volumes_from ties it to another container', change: 'use named volumes' });
  }
  if (inlineFiles.length > 0) {
    const why = `a copy of its container would not have ${inlineFiles.join(', ')}, which Compose writes (content: or environment:)`;
    found.push({ part: 'file', why, change: 'use file: for it' });
  }
  return found;
}

/** A restart keeps the volumes that others take, and gives its container other namespaces (seen with Engine 26.1). */
function borrowerLosses({ definition: { name }, borrowers, observed }: Keeping, { how }: Making): readonly Loss[] {
  const lost = borrowers.filter(({ what }) => how !== 'restart' || what !== 'volumes');
  if (lost.length === 0) return [];
  const words = lost.map((one) => `${one.service ?? `container ${one.container}`} ${BORROWED_WORDS[one.what]}`);
  const services = [...new Set(lost.flatMap(({ service }) => service ?? []))];
  const foreign = [...new Set(lost.flatMap(({ container, service }) => (service === undefined ? [container] : [])))];
  const whose = observed.length > 1 ? `containers of ${name}` : name;
  const both = [name, ...services].join(' ');
  const command = `docker compose ${how === 'restart' ? 'restart' : 'up -d --force-recreate'} ${both}`;
  return [
    {
      part: 'namespace',
      why: `${[...new Set(words)].join(', ')} of ${whose}, and would be left without`,
      change: `do it by hand for all of them: ${command}${foreign.length === 0 ? '' : `, and then restart ${foreign.join(', ')}`}`,
    },
  ];
}

const BORROWED_WORDS: Readonly<Record<Borrower['what'], string>> = {
  network: 'lives in the network namespace',
  pid: 'lives in the process namespace',
  ipc: 'lives in the IPC namespace',
  volumes: 'has the volumes',
};
