import { ProcedureError } from '../model/errors.js';
import { lifetimeOf, replicasBack } from '../model/job.js';
import type { ImageFacts } from '../model/image.js';
import { policyOf } from '../model/project-policy.js';
import { keptReleases, type Release, type ReleaseWithDefinition } from '../model/release.js';
import { decide } from '../strategies/decide.js';
import type { Candidate, Current } from './candidate.js';
import { takenOverFrom } from './project-owner.js';
import { keptDefinitions } from './kept-definitions.js';
import { renderedTarget } from './rendered.js';
import type { Viewing } from './session.js';
import { trafficFacts } from './traffic-facts.js';
import { currentFacts } from './way-back.js';

/**
 * A kept release as a candidate, so that going back is the same change as any other: same gates, replacement,
 * verification, watch and report. Needs neither network nor checkout as long as the engine has the image.
 * @throws ProcedureError E_ROLLBACK_TARGET when the image is gone, with the releases there are instead
 */
export async function keptCandidate(viewing: Viewing, id: string, current: Current): Promise<Candidate> {
  const kept = current.definition?.id === id ? current.definition : await viewing.ledger.definition(id);
  if (kept === undefined) throw noSuchRelease(id, current);
  const image = await imageOf(viewing, kept);
  if (image === undefined) throw imageGone(kept, await restorable(viewing, current));
  const release: ReleaseWithDefinition = { ...kept, image: { ...kept.image, id: image.id } };
  const project = await viewing.compose.render(renderedTarget(viewing, release.definition));
  const definition = project.services[release.service];
  if (definition === undefined) throw noSuchRelease(id, current);
  const lifetime = lifetimeOf(viewing.opened.live, release.service);
  const asKept = { ...project, policy: viewing.opened.live.policy };
  const facts = await trafficFacts(viewing, asKept, definition, current, image);
  return {
    ...facts,
    service: release.service,
    definition,
    policy: policyOf(viewing.opened.live.policy, release.service),
    release,
    recorded: true,
    current,
    replicas: release.replicas,
    lifetime,
    keptDefinitions: await keptDefinitions(viewing, release.definition, current),
    namedImage: (await viewing.engine.image(release.image.name))?.id,
    decision: decide(
      {
        configHash: release.configHash,
        composeHash: release.composeHash,
        fingerprint: image.fingerprint,
        commit: release.commit,
        replicas: release.replicas,
        files: release.files,
        otherContents: [],
        takenOverFrom: await takenOverFrom(viewing, current.containers),
        lifetime,
      },
      currentFacts(current),
    ),
  };
}

/** @returns a kept release that becomes live again: its job is not run once more */
export function comingBack(candidate: Candidate): Candidate {
  const { lifetime, release, current } = candidate;
  return { ...candidate, replicas: replicasBack(lifetime, release, current.history) };
}

/** @returns the image of a release if the engine still has it, whatever name it goes by today */
export async function imageOf(viewing: Pick<Viewing, 'engine'>, release: Release): Promise<ImageFacts | undefined> {
  const { keptAs, id, digest, fingerprint } = release.image;
  for (const reference of [keptAs, id, digest]) {
    if (reference === undefined) continue;
    const image = await viewing.engine.image(reference);
    if (image?.fingerprint === fingerprint) return image;
  }
  return undefined;
}

/** @returns the kept releases whose image the engine still has, newest first, without the one that runs */
export async function restorable(viewing: Pick<Viewing, 'engine'>, current: Current): Promise<readonly Release[]> {
  const found: Release[] = [];
  for (const release of keptReleases(current.history)) {
    if (release.id !== current.release?.id && (await imageOf(viewing, release)) !== undefined) found.push(release);
  }
  return found;
}

/** @returns words for what there is to go back to */
export function describeChoices(releases: readonly Release[]): string {
  if (releases.length === 0) return 'There is no other release whose image this engine still has.';
  const shown = releases.slice(0, 5).map((release) => `release:${release.id}`);
  return `There is instead: ${shown.join(', ')}.`;
}

function imageGone(release: Release, others: readonly Release[]): ProcedureError {
  return new ProcedureError(
    'E_ROLLBACK_TARGET',
    `The image of release ${release.id} is gone from this engine (${release.image.keptAs})`,
    { next: `${describeChoices(others)} Or build it again with rollback-to: git:COMMIT. Nothing was changed.` },
  );
}

function noSuchRelease(id: string, current: Current): ProcedureError {
  return new ProcedureError('E_ROLLBACK_TARGET', `The ledger has no release ${id}`, {
    next: `${describeChoices(keptReleases(current.history))} Nothing was changed.`,
  });
}
