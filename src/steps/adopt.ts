import { randomBytes } from 'node:crypto';
import { ProcedureError } from '../model/errors.js';
import { lifetimeOf } from '../model/job.js';
import {
  configHash,
  definitionOf,
  keptImageTag,
  mountedPaths,
  newReleaseId,
  UNKNOWN_CONTENTS,
  type ReleaseEvent,
  type ReleaseWithDefinition,
} from '../model/release.js';
import type { ImageFacts } from '../model/image.js';
import type { ServiceDefinition } from '../model/service.js';
import type { Current, IdentifiedContainer } from './candidate.js';
import { completionFound } from './completion.js';
import { newerFiles, otherInlineFiles, withFoundContents, type OtherInlineFile } from './contents.js';
import { definitionFromContainer } from './definition-from-container.js';
import { hashFiles } from './files.js';
import { observe } from './observe.js';
import { renderedHashes } from './rendered.js';
import type { Session, Viewing } from './session.js';

/** What the ledger does not have yet of what runs, and what a run sees of the service once it has that. */
interface Adoption {
  /** Started by hand, or before this project came. */
  readonly release: ReleaseWithDefinition | undefined;
  readonly events: readonly ReleaseEvent[];
  readonly current: Current;
}

/**
 * Takes what runs into the ledger when it is not there yet. Without that there would be nothing to go back to.
 * @returns the current state with its release
 */
export async function adopt(session: Session, service: string, observed: Current): Promise<Current> {
  const { release, events, current } = await planAdoption(session, service, observed);
  if (release !== undefined) await session.ledger.addRelease(release);
  for (const event of events) await session.ledger.addEvent(event);
  return current;
}

/** What a run sees of a service once it has adopted what runs, for those that only look: the ledger stays as it is. */
export async function viewAdopted(viewing: Viewing, service: string): Promise<Current> {
  return asAdopted(viewing, service, await observe(viewing.engine, viewing, viewing.project, service));
}

/** The same, of what was observed already. */
export async function asAdopted(viewing: Viewing, service: string, current: Current): Promise<Current> {
  return (await planAdoption(viewing, service, current)).current;
}

/** A dry run and the run plan with the same state of the service, so there is one way to it. Changes nothing. */
async function planAdoption(viewing: Viewing, service: string, observed: Current): Promise<Adoption> {
  const release = await releaseFound(viewing, service, observed);
  const live = release === undefined ? [] : [liveEvent(viewing, release)];
  const found = release === undefined ? observed : { ...observed, release, definition: release, files: release.files };
  const releases = release === undefined ? [] : [release];
  const adopted = withHistory(found, releases, live);
  const completed = completionFound(viewing, service, adopted);
  if (completed === undefined) return { release, events: live, current: adopted };
  return { release, events: [...live, completed], current: withHistory(adopted, [], [completed]) };
}

function withHistory(
  current: Current,
  releases: readonly ReleaseWithDefinition[],
  events: readonly ReleaseEvent[],
): Current {
  const { history } = current;
  return {
    ...current,
    history: { releases: [...history.releases, ...releases], events: [...history.events, ...events] },
  };
}

function liveEvent({ invocation }: Viewing, { service, id, createdAt }: ReleaseWithDefinition): ReleaseEvent {
  return {
    at: createdAt,
    kind: 'live',
    service,
    release: id,
    reason: 'found running and taken into the ledger',
    run: invocation.runId,
    restartMs: undefined,
  };
}

/**
 * Its definition is the live one when Compose's hash says so, and is rebuilt from the container otherwise. What the
 * container has of files is what can be read in it; the ledger says of the rest that it is unknown.
 * @returns undefined when the ledger has what runs, or nothing runs
 */
async function releaseFound(
  viewing: Viewing,
  service: string,
  current: Current,
): Promise<ReleaseWithDefinition | undefined> {
  const [container] = current.containers;
  const { image } = current;
  if (current.release !== undefined || container === undefined || image === undefined) return undefined;
  const { live, checkout } = viewing.opened;
  // A job that was only created has not run, so nothing of it is live.
  const isJob = lifetimeOf(live, service) !== 'stays';
  if (isJob && current.containers.every(({ state }) => state === 'created')) return undefined;
  const definition = live.services[service];
  if (definition === undefined) {
    throw new ProcedureError(
      'E_SERVICE',
      `The live compose files have no service "${service}", but a container of it runs`,
      {
        next: 'Restore the service in the compose file, or remove its container by hand.',
      },
    );
  }
  const now = new Date(viewing.clock.now());
  const id = newReleaseId(now, randomBytes(3).toString('hex'));
  const keptAs = keptImageTag(live.name, service, id);
  const name = await nameOfImage(viewing, { container, image, definition, keptAs });
  const hashes = await renderedHashes(viewing, live);
  const sameAsFiles = hashes[service] === container.composeHash;
  const today = definitionOf(live, definition);
  const found = sameAsFiles
    ? await foundAsRendered(viewing, definition, today, current)
    : {
        document: definitionFromContainer(today, service, {
          inspected: await viewing.engine.inspectContainer(container.id),
          image: name === definition.image ? undefined : name,
        }),
        files: {},
      };
  const unknown = Object.values(found.files).includes(UNKNOWN_CONTENTS);
  return {
    id,
    project: live.name,
    service,
    createdAt: now.toISOString(),
    image: { name, id: image.id, fingerprint: image.fingerprint, digest: image.digests[0], keptAs },
    configHash: configHash(found.document, found.files),
    composeHash: container.composeHash,
    replicas: current.containers.length,
    commit: sameAsFiles && !unknown ? checkout?.commit : undefined,
    origin: 'adopted',
    definitionFrom: sameAsFiles ? 'rendered' : 'container',
    by: viewing.invocation.actor,
    run: viewing.invocation.runUrl,
    version: undefined,
    definition: found.document,
    files: found.files,
  };
}

/**
 * The name that the container was made by, as long as it names that image: the name in today's file may be that of the
 * next version, and belongs to it. Where it names another image by now, or is no name, our own tag is what is left.
 */
async function nameOfImage(
  { engine }: Viewing,
  one: {
    readonly container: IdentifiedContainer;
    readonly image: ImageFacts;
    readonly definition: ServiceDefinition;
    readonly keptAs: string;
  },
): Promise<string> {
  const { imageName } = one.container;
  if (imageName === one.definition.image) return imageName;
  const isName = !/@|^(?:sha256:)?[0-9a-f]{12,64}$/.test(imageName);
  return isName && (await engine.image(imageName))?.id === one.image.id ? imageName : one.keptAs;
}

async function foundAsRendered(
  viewing: Viewing,
  definition: ServiceDefinition,
  document: Readonly<Record<string, unknown>>,
  { containers }: Current,
): Promise<{
  readonly document: Readonly<Record<string, unknown>>;
  readonly files: Readonly<Record<string, string>>;
}> {
  const { live, checkout } = viewing.opened;
  const top = checkout?.topLevel ?? viewing.request.workingDirectory;
  const paths = mountedPaths(live, definition);
  const hashes = await hashFiles(paths, { live: top, wanted: top, commit: checkout?.commit }, viewing.source);
  const newer = await newerFiles(Object.keys(hashes), containers);
  const others = await otherInlineFiles(viewing, live, definition, containers);
  const unknown = [...newer, ...others.filter(isLost).map(({ label }) => label)];
  return {
    document: withFoundContents(document, others),
    files: { ...hashes, ...Object.fromEntries(unknown.map((path) => [path, UNKNOWN_CONTENTS])) },
  };
}

/** Compose takes the value of a variable from the environment of today, and a file may not be readable. */
function isLost({ content, object }: OtherInlineFile): boolean {
  return content === undefined || object.environment !== undefined;
}
