import type { OperationOf } from '../operations/operation.js';
import { networkNames, withoutNames } from '../model/network-names.js';
import type { ObservedContainer } from '../model/service.js';
import { ProcedureError } from '../model/errors.js';
import type { ReleaseWithDefinition } from '../model/release.js';
import { expectedHash, releaseOf } from './replace.js';
import { removeLeftovers } from './leftovers.js';
import type { Session } from './session.js';
import { makeMissing, surroundingsOf } from './surroundings.js';

/** Names that were tried in vain before it is an error: somebody's containers may have Compose's names. */
const NAMES_TRIED = 20;
/** A template is copied and removed at once. */
const TEMPLATE_LIFE_MS = 10 * 60_000;

/**
 * Starts more containers of a service beside those that run. Compose makes one template, which is copied through the API:
 * a copy needs neither the container name nor the ports that the old one still has, carries the hash that plain Compose
 * computes from the unmodified file, and is reachable by the service's name only when that is wanted.
 */
export async function startBeside(
  session: Session,
  operation: OperationOf<'start-beside'>,
  signal: AbortSignal,
): Promise<void> {
  const { service, count, published, named } = operation;
  const { engine, compose, project, opened } = session;
  await removeLeftovers(session, service, signal);
  const release = await releaseOf(session, operation.to);
  const hash = await expectedHash(session, release);
  const present = await engine.containers(project, service);
  const names = networkNames(release.definition, service);
  const { directory, files } = opened.place;
  await makeSurroundings(session, release, signal);
  const template = await compose.makeTemplate({
    document: release.definition,
    directory,
    service,
    image: release.image.name,
    published,
    helper: { work: 'template', service, lifeMs: TEMPLATE_LIFE_MS },
    signal,
  });
  try {
    const made: string[] = [];
    let number = Math.max(0, ...present.map((container) => container.number));
    for (let index = 0; index < count; index += 1) {
      const created = await withFreeName(project, service, number + 1, (name, free) =>
        engine.createBeside(template, {
          name,
          project,
          service,
          number: free,
          composeHash: hash,
          files: { directory, names: files },
          like: present[0]?.id,
          names: named ? names : withoutNames(names),
        }),
      );
      number = created.number;
      made.push(created.id);
      signal.throwIfAborted();
    }
    await Promise.all(made.map((id) => engine.startContainer(id)));
  } finally {
    await engine.removeContainer(template, 'with-anonymous-volumes');
  }
}

/** Compose makes the template in a project that owns nothing: what a release brings along has to be there. */
async function makeSurroundings(session: Session, release: ReleaseWithDefinition, signal: AbortSignal): Promise<void> {
  const { definition, service, image } = release;
  const missing = (await surroundingsOf(session, definition)).filter(({ there }) => !there);
  await makeMissing(session, { definition, service, image: image.name }, missing, signal);
}

async function withFreeName(
  project: string,
  service: string,
  first: number,
  create: (name: string, number: number) => Promise<string>,
): Promise<{ readonly id: string; readonly number: number }> {
  for (let number = first; ; number += 1) {
    try {
      return { id: await create(`${project}-${service}-${number}`, number), number };
    } catch (error) {
      if (!isNameTaken(error) || number - first >= NAMES_TRIED) throw error;
    }
  }
}

/** Engine API, ContainerCreate and ContainerRename: 409, and these words. */
export function isNameTaken(error: unknown): boolean {
  return error instanceof ProcedureError && /is already in use by container/i.test(error.message);
}

/**
 * Gives new containers what only one can have: the name that the compose file gives it, once the old one is gone, or the
 * service's name on its networks.
 */
export async function settleContainers(session: Session, operation: OperationOf<'settle-containers'>): Promise<void> {
  const { engine, project } = session;
  const containers = (await engine.containers(project, operation.service)).filter(
    (container) => !operation.except.includes(container.id),
  );
  if (operation.named) {
    const document = session.lookers.get(operation.service)?.definition() ?? session.opened.live.document;
    for (const container of containers) {
      await engine.nameOnNetworks(container.id, networkNames(document, operation.service));
    }
  }
  const [only] = containers;
  if (operation.containerName === undefined || only === undefined || containers.length !== 1) return;
  await rename(session, only, operation.containerName);
}

async function rename(session: Session, container: ObservedContainer, name: string): Promise<void> {
  if (container.name === name) return;
  try {
    await session.engine.renameContainer(container.id, name);
  } catch (error) {
    if (!isNameTaken(error)) throw error;
    session.progress.warning(`${container.name} keeps its name: another container is called ${name}`);
  }
}
