import path from 'node:path';
import type { Consistency } from '../model/backup-policy.js';
import type { DataPlace } from '../model/backup.js';
import { ProcedureError } from '../model/errors.js';
import { policyOf } from '../model/project-policy.js';
import type { DataMount } from '../model/ports/data.js';
import type { ComposeProject, ObservedContainer } from '../model/service.js';
import type { Viewing } from './session.js';

/** What a service has that outlives its containers, and how it is kept from changing while it is read. */
export interface ServiceData {
  readonly service: string;
  readonly places: readonly DataPlace[];
  readonly how: Consistency;
  readonly quiesceCommand: string | undefined;
  readonly resumeCommand: string | undefined;
  readonly containers: readonly ObservedContainer[];
  /** Containers of others that run and can write to the same places. */
  readonly others: readonly { readonly id: string; readonly name: string }[];
}

/**
 * Looks a service's data up: every volume that it can write to, and the folders of the host that are named. Reads what the
 * engine says of its container, or the compose file where there is none.
 * @returns undefined for a service that has no data
 * @throws ProcedureError E_GATE for a path that is in no volume and no folder of the host, E_INPUT
 */
export async function dataOf(
  viewing: Viewing,
  service: string,
  containers: readonly ObservedContainer[],
): Promise<ServiceData | undefined> {
  const { request, data, opened, project } = viewing;
  const policy = policyOf(opened.live.policy, service).backup;
  const [first] = containers;
  const mounts = first === undefined ? definedMounts(opened.live, service) : await data.mountsOf(first.id);
  const volumes = mounts.filter(({ kind, writable }) => kind === 'volume' && writable);
  const asked = request.backupPaths.length > 0 ? request.backupPaths : policy.paths;
  // Of several services only some have what an input names.
  const strict = request.backupPaths.length === 0 || request.services.length === 1;
  const folders = asked.flatMap((wanted) => folderFor(service, mounts, wanted, strict) ?? []);
  const places = named(project, [...volumes, ...folders]);
  if (places.length === 0) return undefined;
  const how = request.backupConsistency ?? policy.consistency ?? 'pause';
  const quiesceCommand = request.quiesceCommand ?? policy.quiesceCommand;
  if (how === 'quiesce' && quiesceCommand === undefined) {
    throw new ProcedureError(
      'E_INPUT',
      `backup-consistency is quiesce, and there is no quiesce-command for ${service}`,
      {
        next: 'Give quiesce-command, or write it into the compose file (docs/backup.md). Nothing was changed.',
      },
    );
  }
  const own = new Set(containers.map(({ id }) => id));
  const writers = (await Promise.all(places.map((place) => data.writersOf(place)))).flat();
  const others = new Map(writers.filter(({ id }) => !own.has(id)).map((one) => [one.id, one]));
  return {
    service,
    places,
    how,
    quiesceCommand,
    resumeCommand: request.resumeCommand ?? policy.resumeCommand,
    containers,
    others: [...others.values()],
  };
}

function definedMounts(project: ComposeProject, service: string): readonly DataMount[] {
  const mounts = project.services[service]?.mounts ?? [];
  return mounts.flatMap(({ type, source, target, readOnly }): readonly DataMount[] => {
    // Without a source it is a volume that the engine names when the container is made.
    if (source === undefined || (type !== 'volume' && type !== 'bind')) return [];
    return [
      { kind: type, source: type === 'bind' ? source : volumeName(project, source), target, writable: !readOnly },
    ];
  });
}

/** @returns the engine's name of a volume that the compose file knows by a key */
export function volumeName(project: Pick<ComposeProject, 'name' | 'volumes'>, key: string): string {
  const entry = project.volumes[key] as { readonly name?: string } | null | undefined;
  return entry?.name ?? `${project.name}_${key}`;
}

function folderFor(
  service: string,
  mounts: readonly DataMount[],
  wanted: string,
  strict: boolean,
): DataMount | undefined {
  const clean = path.posix.normalize(wanted).replace(/(.)\/$/, '$1');
  const inside = mounts.filter(({ target }) => clean === target || clean.startsWith(`${target}/`));
  // The innermost one is what the container sees.
  const mount = inside.sort((a, b) => b.target.length - a.target.length)[0];
  if (mount !== undefined && mount.kind !== 'other') {
    if (mount.kind === 'volume') return mount.writable ? undefined : mount;
    const source = path.posix.join(mount.source, path.posix.relative(mount.target, clean));
    return { ...mount, source, target: clean };
  }
  if (!strict) return undefined;
  throw new ProcedureError('E_GATE', `${wanted} of ${service} is in no volume and no folder of the host`, {
    next: 'What only its container holds goes with the container: mount a volume there, or leave it out of backup-paths. Nothing was changed.',
  });
}

/** Gives each place the name of its archive: the volume's, without the project's before it, or the folder's. */
function named(project: string, mounts: readonly DataMount[]): readonly DataPlace[] {
  const taken = new Set<string>();
  return mounts.flatMap(({ kind, source, target }): readonly DataPlace[] => {
    if (kind === 'other') return [];
    const own = kind === 'volume' && !/^[0-9a-f]{64}$/.test(source);
    const bare = own && source.startsWith(`${project}_`) ? source.slice(project.length + 1) : source;
    const base = (own ? bare : path.posix.basename(target)).replaceAll(/[^\w.-]+/g, '-').replace(/^[.-]+/, '');
    let name = base === '' ? 'data' : base;
    for (let number = 2; taken.has(name); number += 1) name = `${base}-${number}`;
    taken.add(name);
    return [{ name, kind, source, target }];
  });
}
