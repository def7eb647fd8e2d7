import { keptImageTag, keptReleases, type Release, type ServiceHistory } from '../model/release.js';
import { observe } from './observe.js';
import type { Session, Viewing } from './session.js';

type Looking = Pick<Viewing, 'engine' | 'project' | 'traces'>;

/**
 * Project `a` with service `b-c` keeps its images under the same name as project `a-b` with service `c`: what may be another
 * project's is only taken when the ledger has it.
 * @returns names under which images of a service are kept
 */
export async function keptTags(
  { engine, project, traces }: Looking,
  service: string,
  { releases }: ServiceHistory,
): Promise<readonly string[]> {
  const tag = keptImageTag(project, service, '');
  const repository = tag.slice(0, tag.lastIndexOf(':'));
  const tags = new Set<string>();
  const others = (await traces.projects()).filter((other) => other !== project);
  if (!others.some((other) => repository.startsWith(`rolling-restart/${other}-`))) {
    for (const one of await engine.tagsOf(repository)) tags.add(one);
  }
  for (const { image } of releases) {
    if (!tags.has(image.keptAs) && (await engine.image(image.keptAs)) !== undefined) tags.add(image.keptAs);
  }
  return [...tags];
}

/** A killed run may have kept an image by building, pulling or naming it: what was never live and does not run is let go. */
export async function untagLeftImages(session: Session): Promise<void> {
  for (const service of Object.keys(session.opened.live.services)) {
    const { history, release } = await observe(session.engine, session, session.project, service);
    const stays = new Set([...keptReleases(history), ...(release === undefined ? [] : [release])].map(tagOf));
    for (const tag of await keptTags(session, service, history)) {
      if (!stays.has(tag)) await session.engine.untagImage(tag);
    }
  }
}

function tagOf({ image }: Release): string {
  return image.keptAs;
}
