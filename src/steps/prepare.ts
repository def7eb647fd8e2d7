import { ProcedureError } from '../model/errors.js';
import type { ImageFacts } from '../model/image.js';
import { policyOf } from '../model/project-policy.js';
import { keptImageTag } from '../model/release.js';
import type { ServiceDefinition } from '../model/service.js';
import { imageInRegistry, pushBuilt, recordedImages } from './build-once.js';
import type { Candidate, Current } from './candidate.js';
import { decideDescribed, describeWanted, type Described } from './describe-wanted.js';
import { badReleaseGate } from './gates/bad-release.js';
import { passGate } from './gates/pass-gate.js';
import { isInRegistry } from './gates/registry.js';
import { imageOrigin } from './image-origin.js';
import { adopt } from './adopt.js';
import { imageByName } from './named-image.js';
import { observe } from './observe.js';
import type { Session } from './session.js';
import { changedConfiguration } from './show-changes.js';
import { trafficFacts } from './traffic-facts.js';
import type { WantedProject } from './wanted.js';
import { renderedHashes } from './rendered.js';

/** Where images come from: fresh ones; built ones, and nothing pulled; or those that the names name on the engine now. */
export type ImageSource = 'build-or-pull' | 'build' | 'as-named';

export interface PrepareOptions {
  readonly images?: ImageSource;
  /** Of the wanted project, where they were asked for already. */
  readonly hashes?: Promise<Readonly<Record<string, string>>>;
  /** What was seen of services a moment ago, under the same lock. */
  readonly observed?: ReadonlyMap<string, Current>;
}

/**
 * Builds or pulls everything that is wanted, before anything that runs is touched, and says for each service whether it
 * is the same as what runs. Nothing here changes a running container.
 */
export async function prepare(
  session: Session,
  wanted: WantedProject,
  services: readonly string[],
  { images = 'build-or-pull', hashes: asked, observed }: PrepareOptions = {},
): Promise<void> {
  const hashes = await (asked ?? renderedHashes(session, wanted.project));
  const prepared: Described[] = [];
  for (const service of services) {
    const current = observed?.get(service) ?? (await observe(session.engine, session, session.project, service));
    prepared.push(await openService(session, wanted, service, { hashes, images, current }));
  }
  const building = images === 'as-named' ? [] : prepared.filter((one) => isBuilt(session, one));
  const recorded = await recordedImages(session, wanted.commit, building, (service, commit) =>
    imageInRegistry(session, service, commit),
  );
  if (building.some(({ service }) => !recorded.has(service))) await buildCommand(session, wanted);
  // An image that one service builds and others name is the same image for all of them.
  const built = new Map<string, ImageFacts>();
  const builders = prepared.filter(({ definition }) => definition.build !== undefined);
  for (const one of [...builders, ...prepared.filter((other) => !builders.includes(other))]) {
    const shared = one.definition.build === undefined ? built.get(one.definition.image) : undefined;
    const named = images === 'as-named' || (images === 'build' && one.definition.build === undefined);
    const image =
      shared !== undefined && images !== 'as-named'
        ? await keepShared(session, one, shared)
        : named
          ? await namedImage(session, one)
          : await obtainImage(session, wanted, one, recorded.get(one.service));
    if (one.definition.build !== undefined) built.set(one.definition.image, image);
    const pinned = recorded.get(one.service) ?? session.recorder.pushed.get(one.service);
    session.candidates.set(one.service, await compare(session, wanted, one, { image, pinned }));
  }
}

interface Opening {
  readonly hashes: Readonly<Record<string, string>>;
  readonly images: ImageSource;
  readonly current: Current;
}

async function openService(
  session: Session,
  wanted: WantedProject,
  service: string,
  { hashes, images, current: observed }: Opening,
): Promise<Described> {
  const current = await adopt(session, service, observed);
  const described = await describeWanted(session, wanted, service, hashes, current);
  if (images !== 'as-named' && session.request.image === undefined && described.definition.build !== undefined) {
    // Known before anything is built: the same commit with the same configuration is the same release.
    passGate(
      session,
      'bad-release',
      badReleaseGate(service, current, {
        configHash: described.configHash,
        commit: wanted.commit,
        fingerprint: undefined,
      }),
    );
  }
  return described;
}

function isBuilt({ request }: Session, { definition }: Described): boolean {
  return request.image === undefined && definition.build !== undefined;
}

/** The user's own build (ROMA: `pnpm install --frozen-lockfile && pnpm build`), once, in the build context. */
async function buildCommand(session: Session, wanted: WantedProject): Promise<void> {
  const { buildCommand: command } = session.request;
  if (command === undefined) return;
  await session.execute(
    { kind: 'run-command', name: 'build-command', command, directory: wanted.buildDirectory },
    session.signal,
  );
}

async function keepShared(session: Session, one: Described, image: ImageFacts): Promise<ImageFacts> {
  const keep = keptImageTag(session.project, one.service, one.id);
  session.unacceptedTags.add(keep);
  await session.engine.tagImage(image.id, keep);
  return image;
}

async function namedImage(session: Session, one: Described): Promise<ImageFacts> {
  const image = await imageByName(session, one);
  const keep = keptImageTag(session.project, one.service, one.id);
  session.unacceptedTags.add(keep);
  await session.engine.tagImage(image.id, keep);
  return image;
}

/** Builds, pulls or takes the image that is there; in every case it ends up under our own keeping tag. */
async function obtainImage(
  session: Session,
  wanted: WantedProject,
  one: Described,
  recorded: string | undefined,
): Promise<ImageFacts> {
  const { request, engine, signal } = session;
  const keep = keptImageTag(session.project, one.service, one.id);
  session.unacceptedTags.add(keep);
  if (recorded !== undefined) {
    session.progress.info(`${one.service}: ${recorded} was built for this commit and is not built again`);
  } else if (isBuilt(session, one)) {
    session.builds.set(one.service, buildDocument(wanted, one.definition, keep));
    await session.execute({ kind: 'build-image', service: one.service, tag: keep, pullBase: request.pullBase }, signal);
    await pushBuilt(session, one.service, wanted.commit, keep);
    return present(engine.image(keep), keep);
  }
  const reference = recorded ?? request.image ?? one.definition.image;
  const local = await engine.image(reference);
  const origin = imageOrigin({
    reference,
    local,
    pullPolicy: one.definition.raw['pull_policy'],
    containerdStore: session.opened.facts.containerdStore,
  });
  if (origin !== 'engine' && (await isInRegistry(session, reference, origin))) {
    await session.execute({ kind: 'pull-image', service: one.service, reference }, signal);
  }
  const image = await present(engine.image(reference), reference);
  await engine.tagImage(image.id, keep);
  return image;
}

/** The wanted project with one image name changed: built under our tag, so that no name in use moves while we build. */
function buildDocument(
  wanted: WantedProject,
  definition: ServiceDefinition,
  tag: string,
): { readonly document: Readonly<Record<string, unknown>>; readonly directory: string } {
  const services = wanted.project.document['services'] as Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  return {
    directory: wanted.buildDirectory,
    document: {
      ...wanted.project.document,
      services: { ...services, [definition.name]: { ...services[definition.name], image: tag } },
    },
  };
}

/** @param pinned the image by its digest in the registry, where it was built once */
async function compare(
  session: Session,
  wanted: WantedProject,
  one: Described,
  { image, pinned }: { readonly image: ImageFacts; readonly pinned: string | undefined },
): Promise<Candidate> {
  const { service, current, definition } = one;
  const decision = await decideDescribed(session, wanted, one, image.fingerprint);
  const diff = changedConfiguration(session, decision, one, current);
  const keep = keptImageTag(session.project, service, one.id);
  if (decision.kind !== 'unchanged') {
    passGate(
      session,
      'bad-release',
      badReleaseGate(service, current, {
        configHash: one.configHash,
        commit: undefined,
        fingerprint: image.fingerprint,
      }),
    );
  }
  return {
    ...(await trafficFacts(session, wanted.project, definition, current, image)),
    service,
    definition,
    policy: policyOf(wanted.project.policy, service),
    recorded: false,
    decision,
    diff,
    current,
    replicas: one.replicas,
    lifetime: one.lifetime,
    namedImage: one.namedImage,
    keptDefinitions: one.keptDefinitions,
    release: {
      id: one.id,
      project: session.project,
      service,
      createdAt: new Date(session.clock.now()).toISOString(),
      image: {
        name: definition.image,
        id: image.id,
        fingerprint: image.fingerprint,
        digest: pinned ?? image.digests[0],
        keptAs: keep,
      },
      configHash: one.configHash,
      composeHash: one.composeHash,
      replicas: one.replicas,
      commit: wanted.commit,
      origin: originOf(session, wanted, definition),
      definitionFrom: 'rendered',
      by: session.invocation.actor,
      run: session.invocation.runUrl,
      ref: session.invocation.ref,
      version: session.request.expectedVersion,
      definition: one.document,
      files: one.files,
    },
  };
}

function originOf(session: Session, wanted: WantedProject, definition: ServiceDefinition): string {
  if (session.request.image !== undefined) return `image:${session.request.image}`;
  if (definition.build === undefined) return `image:${definition.image}`;
  return wanted.commit === undefined ? 'files' : `git:${wanted.commit}`;
}

async function present(image: Promise<ImageFacts | undefined>, name: string): Promise<ImageFacts> {
  const found = await image;
  if (found !== undefined) return found;
  throw new ProcedureError('E_BUILD', `The engine does not have ${name} after it was built or pulled`, {
    next: 'Look whether something removes images on this host meanwhile; nothing that runs was touched.',
  });
}
