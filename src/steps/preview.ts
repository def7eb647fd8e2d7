import { randomBytes } from 'node:crypto';
import type { ImageFacts } from '../model/image.js';
import type { Operation } from '../operations/operation.js';
import { policyOf } from '../model/project-policy.js';
import { keptImageTag, newReleaseId } from '../model/release.js';
import { wantedReplicas } from '../model/replicas.js';
import { pushOperation, recordedImages } from './build-once.js';
import type { Candidate } from './candidate.js';
import { decideDescribed, describeWanted, type Described } from './describe-wanted.js';
import { viewAdopted } from './adopt.js';
import { planAll, type Planned } from './plan-all.js';
import { badReleaseGate } from './gates/bad-release.js';
import { passCommitGates, passPlanGates } from './gates/index.js';
import { healthGate } from './gates/health.js';
import { refuseKnown } from './gates/creatable.js';
import { passGate } from './gates/pass-gate.js';
import { isInRegistry } from './gates/registry.js';
import { imageOrigin } from './image-origin.js';
import { imageByName } from './named-image.js';
import type { ImageSource } from './prepare.js';
import { renderedHashes } from './rendered.js';
import { changedConfiguration } from './show-changes.js';
import { describePreview } from './show-plan.js';
import { servicesToDeploy } from './select-services.js';
import type { Viewing } from './session.js';
import { withoutStopped } from './stopped.js';
import { trafficFacts } from './traffic-facts.js';
import { fetchCommit, showNew, viewWorktree } from './source.js';
import { wantedFromLive, type WantedProject } from './wanted.js';

/**
 * The plan of a code update without doing anything: from inspected state and rendered configuration, never from
 * `docker compose up --dry-run`, which has swapped containers for real in some versions (docker/compose#14029).
 * Whether an image differs is known only after it is built or pulled; the plan says so.
 * @param asMeant what a procedure makes of a service, where that is not what is decided by what differs
 */
export async function previewUpdate(
  viewing: Viewing,
  procedure: string,
  asMeant: (candidate: Candidate) => Candidate = asDecided,
): Promise<Planned> {
  return preview(viewing, procedure, await viewWanted(viewing), 'build-or-pull', asMeant);
}

/** The plan of applying the files as they lie, with the images that are there. */
export async function previewLive(viewing: Viewing, procedure: string): Promise<Planned> {
  return preview(viewing, procedure, wantedFromLive(viewing.opened, viewing.request.workingDirectory), 'as-named');
}

function asDecided(candidate: Candidate): Candidate {
  return candidate;
}

async function preview(
  viewing: Viewing,
  procedure: string,
  wanted: WantedProject,
  images: ImageSource,
  asMeant: (candidate: Candidate) => Candidate = asDecided,
): Promise<Planned> {
  const services = await withoutStopped(viewing, await servicesToDeploy(viewing, wanted.project));
  const { preparation, candidates } = await viewCandidates(viewing, wanted, services, images);
  return previewCandidates(viewing, procedure, { preparation, candidates: candidates.map(asMeant) });
}

/** What is known of a change without building, pulling or making anything. */
export interface Viewed {
  readonly preparation: readonly Operation[];
  readonly candidates: readonly Candidate[];
}

/** @returns the plan of what was looked at */
export async function previewCandidates(
  viewing: Viewing,
  procedure: string,
  { preparation, candidates }: Viewed,
): Promise<Planned> {
  const liveCommit = viewing.opened.checkout?.commit;
  return planAll(viewing, candidates, { procedure, preparation, liveCommit, looking: true });
}

/**
 * Shows the plan of a dry run, and asks the gates that need nothing built.
 * @returns its headline
 * @throws ProcedureError E_GATE
 */
export async function endPreview(viewing: Viewing, { plan, candidates }: Planned): Promise<string> {
  for (const { service, current, lifetime } of candidates) {
    passGate(viewing, 'health', healthGate(service, current, lifetime));
  }
  const headline = describePreview(viewing, plan);
  await passPlanGates(
    viewing,
    candidates.filter(({ decision }) => decision.kind !== 'unchanged'),
  );
  return headline;
}

/** What would become of services, and what has to be built or pulled for it; builds and pulls nothing. */
export async function viewCandidates(
  viewing: Viewing,
  wanted: WantedProject,
  services: readonly string[],
  images: ImageSource,
): Promise<Viewed> {
  const hashes = await renderedHashes(viewing, wanted.project);
  const preparation: Operation[] = [];
  const candidates: Candidate[] = [];
  const all: Described[] = [];
  for (const service of services) {
    const current = await viewAdopted(viewing, service);
    all.push(await describeWanted(viewing, wanted, service, hashes, current));
  }
  const toBuild = images === 'as-named' ? [] : all.filter(({ definition }) => definition.build !== undefined);
  const recorded = await recordedImages(viewing, wanted.commit, toBuild);
  for (const described of all) {
    const { service, current } = described;
    const named = images === 'as-named' || (images === 'build' && described.definition.build === undefined);
    const { operations, image } = named
      ? await viewNamedImage(viewing, described)
      : await viewImage(viewing, wanted, described, recorded.get(service));
    preparation.push(...operations);
    const fingerprint = image?.fingerprint;
    const facts = await trafficFacts(viewing, wanted.project, described.definition, current, image);
    const candidate = await previewCandidate(viewing, wanted, described, fingerprint);
    if (candidate.decision.kind !== 'unchanged') {
      const { configHash } = described;
      // Of what is built, the commit is all that is known of it before.
      const commit =
        fingerprint === undefined && operations.some(({ kind }) => kind === 'build-image') ? wanted.commit : undefined;
      passGate(viewing, 'bad-release', badReleaseGate(service, current, { configHash, commit, fingerprint }));
    }
    if (candidate.decision.kind !== 'unchanged') await refuseKnown(viewing, service, described.document);
    const diff = changedConfiguration(viewing, candidate.decision, described, current);
    candidates.push({ ...candidate, ...facts, diff });
  }
  const building = preparation.some((operation) => operation.kind === 'build-image');
  if (building && viewing.request.buildCommand !== undefined) {
    preparation.unshift({
      kind: 'run-command',
      name: 'build-command',
      command: viewing.request.buildCommand,
      directory: wanted.buildDirectory,
    });
  }
  return { preparation, candidates };
}

/** Fetches what is wanted, and @returns it as it would be deployed */
export async function viewWanted(viewing: Viewing): Promise<WantedProject> {
  const commit = await fetchCommit(viewing, viewing.opened, viewing.signal);
  if (commit === undefined) return wantedFromLive(viewing.opened, viewing.request.workingDirectory);
  await showNew(viewing, viewing.opened, commit);
  await passCommitGates(viewing, commit.commit);
  if (commit.commit === viewing.opened.checkout?.commit) {
    return wantedFromLive(viewing.opened, viewing.request.workingDirectory);
  }
  return viewWorktree(viewing, commit.commit, commit.label);
}

async function viewNamedImage(viewing: Viewing, one: Described): Promise<ViewedImage> {
  return { operations: [], image: await imageByName(viewing, one) };
}

interface ViewedImage {
  readonly operations: readonly Operation[];
  readonly image: ImageFacts | undefined;
}

/** What would be done to get the image, and the image where it is there without that. */
async function viewImage(
  viewing: Viewing,
  { commit }: WantedProject,
  { service, id, definition }: Described,
  recorded: string | undefined,
): Promise<ViewedImage> {
  const { request, engine, project } = viewing;
  if (recorded === undefined && request.image === undefined && definition.build !== undefined) {
    const tag = keptImageTag(project, service, id);
    const push = pushOperation(viewing, service, commit, tag);
    const build = { kind: 'build-image', service, tag, pullBase: request.pullBase } as const;
    return { operations: push === undefined ? [build] : [build, push], image: undefined };
  }
  const reference = recorded ?? request.image ?? definition.image;
  const local = await engine.image(reference);
  const pullPolicy = definition.raw['pull_policy'];
  const { containerdStore } = viewing.opened.facts;
  const origin = imageOrigin({ reference, local, pullPolicy, containerdStore });
  if (origin !== 'engine' && (await isInRegistry(viewing, reference, origin))) {
    return { operations: [{ kind: 'pull-image', service, reference }], image: undefined };
  }
  return { operations: [], image: local };
}

/** A candidate of which nothing was built or pulled, and about which nothing is decided yet. */
export function viewedCandidate(
  viewing: Viewing,
  one: Pick<Candidate, 'service' | 'definition' | 'policy' | 'current' | 'lifetime'> & {
    readonly commit: string | undefined;
  },
): Omit<Candidate, 'traffic' | 'keeping' | 'decision'> {
  const { service, definition, policy, current, lifetime, commit } = one;
  const id = newReleaseId(new Date(viewing.clock.now()), randomBytes(3).toString('hex'));
  const replicas = wantedReplicas(definition, lifetime, current.containers.length);
  return {
    service,
    definition,
    policy,
    current,
    lifetime,
    replicas,
    recorded: false,
    namedImage: undefined,
    keptDefinitions: [],
    release: {
      id,
      project: viewing.project,
      service,
      createdAt: new Date(viewing.clock.now()).toISOString(),
      image: {
        name: definition.image,
        id: 'the image that is built or pulled',
        fingerprint: '',
        digest: undefined,
        keptAs: keptImageTag(viewing.project, service, id),
      },
      configHash: '',
      composeHash: '',
      replicas,
      commit,
      origin: 'preview',
      definitionFrom: 'rendered',
      by: viewing.invocation.actor,
      run: undefined,
      version: undefined,
      definition: {},
      files: {},
    },
  };
}

async function previewCandidate(
  viewing: Viewing,
  wanted: WantedProject,
  described: Described,
  fingerprint: string | undefined,
): Promise<Omit<Candidate, 'traffic' | 'keeping'>> {
  const { service, definition, current, lifetime, id, configHash, composeHash, files } = described;
  const policy = policyOf(wanted.project.policy, service);
  const { commit } = wanted;
  const viewed = viewedCandidate(viewing, { service, definition, policy, current, lifetime, commit });
  const keptAs = keptImageTag(viewing.project, service, id);
  const known = fingerprint === undefined ? {} : { id: keptAs, fingerprint };
  const image = { ...viewed.release.image, keptAs, ...known };
  return {
    ...viewed,
    namedImage: described.namedImage,
    decision: await decideDescribed(viewing, wanted, described, fingerprint),
    keptDefinitions: described.keptDefinitions,
    release: { ...viewed.release, id, image, configHash, composeHash, files },
  };
}
