import type { Engine } from '../model/ports/engine.js';
import { keptReleases, liveRelease, type Release, type ServiceHistory } from '../model/release.js';
import type { ImageFacts } from '../model/image.js';
import type { ProjectRecords } from '../run/run.js';
import type { Current, IdentifiedContainer } from './candidate.js';

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
    definition: recorded,
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
  if (containers.length === 0) return undefined;
  const matches = (release: Release): boolean =>
    containers.every(
      (container) =>
        container.fingerprint === release.image.fingerprint && container.composeHash === release.composeHash,
    );
  const live = liveRelease(history);
  if (live !== undefined && matches(live)) return live;
  return keptReleases(history).find(matches) ?? history.releases.findLast(matches);
}
