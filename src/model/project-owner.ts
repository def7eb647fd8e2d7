import { ProcedureError } from './errors.js';
import type { ComposeProject } from './service.js';

/** A container of any project, as far as it says whose it is. Paths as its labels have them, or real ones. */
export interface Neighbour {
  readonly name: string;
  /** Compose project; undefined: Compose did not make it. */
  readonly project: string | undefined;
  /** Compose project that one of our own containers works for. */
  readonly worksFor: string | undefined;
  readonly service: string | undefined;
  /** Project directory that it was made from. */
  readonly directory: string | undefined;
  /** Compose files that it was made from. */
  readonly files: readonly string[];
  readonly image: string;
  /** Ports of the host that lead to it now: `8080/tcp`. */
  readonly ports: readonly string[];
  readonly volumes: readonly { readonly name: string; readonly target: string }[];
}

/** Volumes of the engine by name, with the project that Compose made each for. */
export type VolumeOwners = ReadonlyMap<
  string,
  { readonly project: string | undefined; readonly key: string | undefined }
>;

/** What a run takes for its own: the project, where it lies, and what its services want. Real paths. */
export interface Claims {
  readonly project: string;
  /** Somebody chose the project's name: another one is not meant. */
  readonly named: boolean;
  readonly directory: string;
  /** Folders that count as this project's: its directory, and the one Compose is started in. */
  readonly folders: readonly string[];
  readonly files: readonly string[];
  /** Services of the run. */
  readonly services: readonly Claim[];
}

export interface Claim {
  readonly service: string;
  readonly containerName: string | undefined;
  readonly image: string;
  readonly built: boolean;
  readonly ports: readonly string[];
  /** Volumes that Compose names by the project. */
  readonly volumes: readonly { readonly key: string; readonly name: string; readonly target: string }[];
}

/** Why a project is not this run's to change. */
export type OwnerProblem =
  | {
      readonly kind: 'name-taken';
      readonly container: string;
      readonly project: string | undefined;
      readonly folder: string | undefined;
    }
  | { readonly kind: 'stranger'; readonly folder: string }
  | { readonly kind: 'twin'; readonly project: string; readonly folder: string | undefined; readonly proof: string };

/**
 * Compares what a run takes for its own with what the engine has. A container that was made from other files of the same
 * folder is no stranger: an override comes and goes. A service whose files leave it alone (`claims.services` does not have
 * it) counts only where nothing of the project is from here.
 * @param volumes of the engine; needed only where nothing of the project is there
 * @returns what is wrong; undefined where it is this run's
 */
export function findOwner(
  claims: Claims,
  neighbours: readonly Neighbour[],
  volumes: VolumeOwners,
): OwnerProblem | undefined {
  const own = neighbours.filter(({ project, service }) => project === claims.project && service !== undefined);
  return (
    takenName(claims, neighbours) ??
    stranger(claims, own) ??
    (own.length > 0 || claims.named ? undefined : twin(claims, neighbours, volumes))
  );
}

/** @returns the folder that a container was made from, where that is not the project's */
export function strangerFolder(
  { folders, files }: Pick<Claims, 'folders' | 'files'>,
  { directory, files: others }: Pick<Neighbour, 'directory' | 'files'>,
): string | undefined {
  const isOurs = directory === undefined || folders.includes(directory) || others.some((file) => files.includes(file));
  return isOurs ? undefined : directory;
}

function takenName(claims: Claims, neighbours: readonly Neighbour[]): OwnerProblem | undefined {
  for (const { containerName } of claims.services) {
    const owner = neighbours.find(({ name }) => name === containerName);
    if (owner === undefined || (owner.worksFor ?? owner.project) === claims.project) continue;
    return { kind: 'name-taken', container: owner.name, project: owner.project, folder: owner.directory };
  }
  return undefined;
}

function stranger(claims: Claims, own: readonly Neighbour[]): OwnerProblem | undefined {
  const strangers = own.flatMap((one) => {
    const folder = strangerFolder(claims, one);
    return folder === undefined ? [] : [{ folder, service: one.service }];
  });
  const touched = strangers.find(({ service }) => claims.services.some((one) => one.service === service));
  const found = touched ?? (strangers.length === own.length ? strangers[0] : undefined);
  return found && { kind: 'stranger', folder: found.folder };
}

/** The same services under another project name: what is certain first. */
function twin(claims: Claims, neighbours: readonly Neighbour[], volumes: VolumeOwners): OwnerProblem | undefined {
  for (const find of [byFiles, byPort, (one: Claims, other: Peer) => byVolume(one, other, volumes)]) {
    for (const { project, worksFor, service, ...rest } of neighbours) {
      if (project === undefined || worksFor !== undefined || project === claims.project) continue;
      const claim = claims.services.find((one) => one.service === service);
      if (claim === undefined) continue;
      const proof = find(claims, { ...rest, project, claim });
      if (proof !== undefined) return { kind: 'twin', project, folder: rest.directory, proof };
    }
  }
  return undefined;
}

/** A container of another project, of a service that has the name of one of ours. */
interface Peer extends Omit<Neighbour, 'project' | 'worksFor' | 'service'> {
  readonly project: string;
  readonly claim: Claim;
}

/** Where the files that it was made from are gone, the folder says as much. */
function byFiles({ folders, files }: Claims, { directory, files: others, claim }: Peer): string | undefined {
  const file = files.find((one) => others.includes(one));
  if (file !== undefined) return `runs ${claim.service} from ${file}`;
  const isHere = others.length === 0 && directory !== undefined && folders.includes(directory);
  return isHere ? `runs ${claim.service} from ${directory}` : undefined;
}

function byPort(_claims: Claims, { ports, claim }: Peer): string | undefined {
  const port = claim.ports.find((one) => ports.includes(one));
  return port === undefined ? undefined : `runs ${claim.service} on port ${port} of the host`;
}

/**
 * The volume that a service would get anew is there under another project's name, in a container of the same service, at
 * the same path and of the same image.
 */
function byVolume(
  _claims: Claims,
  { project, image, volumes: mounted, claim }: Peer,
  volumes: VolumeOwners,
): string | undefined {
  if (!claim.built && !isSameRepository(image, claim.image)) return undefined;
  const found = claim.volumes.find(({ key, name, target }) => {
    if (volumes.has(name)) return false;
    return mounted.some((one) => {
      const owner = volumes.get(one.name);
      return one.target === target && owner?.project === project && owner.key === key;
    });
  });
  return found === undefined ? undefined : `runs ${claim.service} with its volume ${project}_${found.key}`;
}

/** The engine names an image by its id once its name was given to another one. */
function isSameRepository(actual: string, wanted: string): boolean {
  const repository = (image: string): string => image.replace(/@.*$/, '').replace(/:[^:/]*$/, '');
  return /^(?:sha256:)?[0-9a-f]{12,64}$/.test(actual) || repository(actual) === repository(wanted);
}

/** @param services names; those that the project does not have are left out */
export function claimsOf(project: ComposeProject, services: readonly string[]): Claims['services'] {
  return services.flatMap((name) => {
    const definition = project.services[name];
    if (definition === undefined) return [];
    const { containerName, image, build, ports, mounts } = definition;
    return [
      {
        service: name,
        containerName,
        image,
        built: build !== undefined,
        ports: ports.flatMap(({ published, protocol }) =>
          /^\d+$/.test(published ?? '') ? [`${published ?? ''}/${protocol}`] : [],
        ),
        volumes: mounts.flatMap(({ type, source, target }) => {
          const volume = `${project.name}_${source ?? ''}`;
          const isOwn = type === 'volume' && source !== undefined && nameOfVolume(project, source) === volume;
          return isOwn ? [{ key: source, name: volume, target }] : [];
        }),
      },
    ];
  });
}

function nameOfVolume({ volumes }: ComposeProject, key: string): unknown {
  return (volumes[key] as { readonly name?: unknown; readonly external?: unknown } | null | undefined)?.name;
}

/** @returns the error that a person reads: who has it, from which folder, and what is probably meant */
export function ownerError(
  { project, directory }: Pick<Claims, 'project' | 'directory'>,
  problem: OwnerProblem,
): ProcedureError {
  const error = (message: string, next: string): ProcedureError =>
    new ProcedureError('E_PROJECT', message, { next: `${next} Nothing was changed.` });
  const from = 'folder' in problem && problem.folder !== undefined ? ` (from ${problem.folder})` : '';
  switch (problem.kind) {
    case 'name-taken':
      return problem.project === undefined
        ? error(
            `Container ${problem.container} is there already, and it belongs to no compose project`,
            'Rename or remove that container, or give the service another container_name.',
          )
        : error(
            `Container ${problem.container} belongs to project ${problem.project}${from}, and this run is for project ${project}`,
            `To change that one, set project-name: ${problem.project}. For a second one, give it another container_name.`,
          );
    case 'stranger':
      return error(
        `Project ${project} was made from ${problem.folder}, and this run is for ${directory}`,
        `To change that one, set working-directory: ${problem.folder}. For a second one, set project-name. To take it over, set force: true.`,
      );
    case 'twin':
      return error(
        `Project ${problem.project}${from} ${problem.proof}, and project ${project} does not exist yet`,
        `To change that one, set project-name: ${problem.project}. For a second one, set project-name: ${project}.`,
      );
  }
}
