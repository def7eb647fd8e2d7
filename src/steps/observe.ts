import { randomBytes } from 'node:crypto';
import { ProcedureError } from '../model/errors.js';
import { lifetimeOf, releaseAtRest } from '../model/job.js';
import type { Engine } from '../model/ports/engine.js';
import {
  configHash,
  definitionOf,
  keptImageTag,
  keptReleases,
  liveRelease,
  mountedPaths,
  newReleaseId,
  type Release,
  type ReleaseWithDefinition,
  type ServiceHistory,
} from '../model/release.js';
import type { ImageFacts } from '../model/image.js';
import type { ProjectRecords } from '../run/run.js';
import type { Current, IdentifiedContainer } from './candidate.js';
import { completionFound } from './completion.js';
import { definitionFromContainer } from './definition-from-container.js';
import { hashFiles } from './files.js';
import { renderedHashes } from './rendered.js';
import type { OpenProject, Session } from './session.js';

/** Reads the engine and the ledger. Changes nothing. */
export async function observe(
  engine: Engine,
  records: Pick<ProjectRecords, 'ledger'>,
  project: string,
  service: string,
): Promise<Current> {
  const [containers, history] = await Promise.all([
    identifiedContainers(engine, project, service),
    records.ledger.history(service),
  ]);
  const release = matchRelease(history, containers);
  const recorded = release === undefined ? undefined : await records.ledger.definition(release.id);
  const first = containers[0];
  return {
    containers,
    image: first === undefined ? undefined : await engine.image(first.imageId),
    history,
    release,
    files: recorded?.definitionFrom === 'rendered' ? recorded.files : undefined,
  };
}

/** Containers of a service with the identity of their image. */
export async function identifiedContainers(
  engine: Engine,
  project: string,
  service: string,
): Promise<readonly IdentifiedContainer[]> {
  const containers = await engine.containers(project, service);
  const images = new Map<string, ImageFacts | undefined>();
  for (const id of new Set(containers.map((container) => container.imageId))) images.set(id, await engine.image(id));
  return containers.map((container) => ({ ...container, fingerprint: images.get(container.imageId)?.fingerprint }));
}

/**
 * The ledger says what was accepted last; a person may have changed something by hand since. What runs is a release
 * only when image and Compose's hash of every container are that release's.
 */
function matchRelease(history: ServiceHistory, containers: readonly IdentifiedContainer[]): Release | undefined {
  if (containers.length === 0) return releaseAtRest(history);
  const matches = (release: Release): boolean =>
    containers.every(
      (container) =>
        container.fingerprint === release.image.fingerprint && container.composeHash === release.composeHash,
    );
  const live = liveRelease(history);
  if (live !== undefined && matches(live)) return live;
  return keptReleases(history).find(matches) ?? history.releases.findLast(matches);
}

/**
 * Takes what runs into the ledger when it is not there yet: it was started by hand, or before this project came. Without
 * that there would be nothing to go back to. Its definition is the live one when Compose's hash says so, and is rebuilt
 * from the container otherwise.
 * @returns the current state with its release
 */
export async function adopt(session: Session, service: string, current: Current): Promise<Current> {
  const [container] = current.containers;
  if (current.release !== undefined) return completionFound(session, service, current);
  if (container === undefined || current.image === undefined) return current;
  // A job that was only created has not run: nothing of it is live.
  const isJob = lifetimeOf(session.opened.live, service) !== 'stays';
  if (isJob && current.containers.every(({ state }) => state === 'created')) return current;
  const { opened } = session;
  const definition = opened.live.services[service];
  if (definition === undefined) {
    throw new ProcedureError(
      'E_SERVICE',
      `The live compose files have no service "${service}", but a container of it runs`,
      {
        next: 'Restore the service in the compose file, or remove its container by hand.',
      },
    );
  }
  const hashes = await renderedHashes(session, opened.live);
  const sameAsFiles = hashes[service] === container.composeHash;
  const document = sameAsFiles
    ? definitionOf(opened.live, definition)
    : definitionFromContainer(
        definitionOf(opened.live, definition),
        service,
        await session.engine.inspectContainer(container.id),
      );
  const files = sameAsFiles ? await liveFiles(session, opened, service) : {};
  const now = new Date();
  const id = newReleaseId(now, randomBytes(3).toString('hex'));
  const composeHash = container.composeHash;
  const release: ReleaseWithDefinition = {
    id,
    project: opened.live.name,
    service,
    createdAt: now.toISOString(),
    image: {
      name: definition.image,
      id: current.image.id,
      fingerprint: current.image.fingerprint,
      digest: current.image.digests[0],
      keptAs: keptImageTag(opened.live.name, service, id),
    },
    configHash: configHash(document, files),
    composeHash,
    replicas: current.containers.length,
    commit: sameAsFiles ? opened.checkout?.commit : undefined,
    origin: 'adopted',
    definitionFrom: sameAsFiles ? 'rendered' : 'container',
    by: session.invocation.actor,
    run: session.invocation.runUrl,
    version: undefined,
    definition: document,
    files,
  };
  await session.ledger.addRelease(release);
  await session.ledger.addEvent({
    at: now.toISOString(),
    kind: 'live',
    service,
    release: id,
    reason: 'found running and taken into the ledger',
    run: session.invocation.runId,
    restartMs: undefined,
  });
  const adopted = { ...current, release, files, history: await session.ledger.history(service) };
  return completionFound(session, service, adopted);
}

async function liveFiles(
  session: Session,
  opened: OpenProject,
  service: string,
): Promise<Readonly<Record<string, string>>> {
  const definition = opened.live.services[service];
  if (definition === undefined) return {};
  const top = opened.checkout?.topLevel ?? session.request.workingDirectory;
  return hashFiles(
    mountedPaths(opened.live, definition),
    { live: top, wanted: top, commit: opened.checkout?.commit },
    session.source,
  );
}
