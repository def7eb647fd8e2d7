import { realpath } from 'node:fs/promises';
import {
  claimsOf,
  findOwner,
  ownerError,
  strangerFolder,
  type Claims,
  type Neighbour,
  type OwnerProblem,
} from '../model/project-owner.js';
import { hasActiveProfile, looksStateful, type ComposeProject, type ObservedContainer } from '../model/service.js';
import type { Viewing } from './session.js';

type Looking = Pick<Viewing, 'engine' | 'opened' | 'request'>;

/** @returns what is wrong with whose project it is, for a person who only looks */
export async function describeOwner(viewing: Looking): Promise<string | undefined> {
  const { claims, problem } = await lookForOwner(viewing);
  if (problem === undefined) return undefined;
  const { message, next } = ownerError(claims, problem);
  return `${message}. ${next}`;
}

/** Looks whether the project, and what its services take, belong to this folder. Changes nothing. */
export async function lookForOwner(
  viewing: Looking,
  project: ComposeProject = viewing.opened.live,
): Promise<{ readonly claims: Claims; readonly problem: OwnerProblem | undefined }> {
  const neighbours = await Promise.all((await viewing.engine.neighbours()).map(withRealPaths));
  const own = neighbours.filter((one) => one.project === project.name);
  const there = new Set(own.map(({ service }) => service));
  const services = claimsOf(project, servicesOf(viewing, project, there));
  const place = await realPlace(viewing);
  const claims: Claims = { project: project.name, named: viewing.opened.place.named, ...place, services };
  const asksVolumes = own.length === 0 && !claims.named && services.some(({ volumes }) => volumes.length > 0);
  const volumes = asksVolumes ? await viewing.engine.volumeOwners() : new Map();
  return { claims, problem: findOwner(claims, neighbours, volumes) };
}

/** Those that are named; else all that a run may touch: what keeps data and is there is left alone unless it is named. */
function servicesOf(
  { request, opened }: Looking,
  project: ComposeProject,
  there: ReadonlySet<string | undefined>,
): readonly string[] {
  if (request.services.length > 0) return request.services;
  return Object.values(project.services)
    .filter(
      (service) =>
        hasActiveProfile(service, opened.place.profiles) && !(looksStateful(service) && there.has(service.name)),
    )
    .map(({ name }) => name);
}

type Place = Pick<Claims, 'directory' | 'folders' | 'files'>;

async function realPlace({ opened, request }: Pick<Looking, 'opened' | 'request'>): Promise<Place> {
  const { directory, files } = opened.place;
  const [place = directory, ...folders] = await Promise.all([directory, request.workingDirectory].map(real));
  return { directory: place, folders: [place, ...folders], files: await Promise.all(files.map(real)) };
}

/** @returns the folder that containers of a service were made from, where that is another than this run's */
export async function takenOverFrom(
  viewing: Pick<Looking, 'opened' | 'request'>,
  containers: readonly Pick<ObservedContainer, 'madeFrom'>[],
): Promise<string | undefined> {
  const place = await realPlace(viewing);
  const found = await Promise.all(
    containers.map(async ({ madeFrom }) => strangerFolder(place, await withRealPaths(madeFrom))),
  );
  return found.find((folder) => folder !== undefined);
}

/** Files that are gone, or that cannot be seen from here, say nothing. */
async function withRealPaths<T extends Pick<Neighbour, 'directory' | 'files'>>(one: T): Promise<T> {
  const files = await Promise.all(one.files.map((file) => realpath(file).catch(() => undefined)));
  return {
    ...one,
    directory: one.directory === undefined ? undefined : await real(one.directory),
    files: files.filter((file) => file !== undefined),
  };
}

function real(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}
