import { ProcedureError } from '../model/errors.js';
import { isBad, keptReleases, liveRelease, previousRelease, type Release } from '../model/release.js';
import type { RollbackTarget } from '../model/request.js';
import type { Current } from './candidate.js';
import { describeChoices, imageOf, restorable } from './kept-candidate.js';
import type { Viewing } from './session.js';

/** Where to go back to: a release that is kept, or something that has to be built or pulled first. */
export type ResolvedTarget =
  | { readonly kind: 'kept'; readonly release: Release }
  | { readonly kind: 'commit'; readonly ref: string; readonly commit: string | undefined }
  | { readonly kind: 'image'; readonly reference: string };

/**
 * @throws ProcedureError E_ROLLBACK_TARGET with what there is instead
 */
export async function resolveTarget(
  viewing: Viewing,
  target: RollbackTarget,
  current: Current,
): Promise<ResolvedTarget> {
  switch (target.kind) {
    case 'previous':
      return { kind: 'kept', release: await requirePrevious(viewing, current) };
    case 'release':
      return { kind: 'kept', release: await requireRelease(viewing, current, target.id) };
    case 'git':
      return resolveCommit(viewing, current, target.ref);
    case 'image':
      return resolveImage(viewing, current, target.reference);
  }
}

async function requirePrevious(viewing: Viewing, current: Current): Promise<Release> {
  const previous = previousRelease(current.history, (current.release ?? liveRelease(current.history))?.id);
  if (previous !== undefined) return previous;
  throw new ProcedureError('E_ROLLBACK_TARGET', 'The ledger has no release before the one that runs', {
    next: `${describeChoices(await restorable(viewing, current))} Or name a commit or an image: git:REF, image:REF. Nothing was changed.`,
  });
}

async function requireRelease(viewing: Viewing, current: Current, id: string): Promise<Release> {
  const found = current.history.releases.filter((release) => release.id === id || release.id.startsWith(id));
  const [release] = found;
  if (release !== undefined && (found.length === 1 || release.id === id)) return release;
  const problem =
    found.length > 1 ? `"${id}" is the beginning of ${found.length} releases` : `The ledger has no release ${id}`;
  throw new ProcedureError('E_ROLLBACK_TARGET', problem, {
    next: `${describeChoices(await restorable(viewing, current))} Nothing was changed.`,
  });
}

/** A kept release of that commit comes back as it was; only without one is it built again. */
async function resolveCommit(viewing: Viewing, current: Current, ref: string): Promise<ResolvedTarget> {
  const directory = viewing.opened.checkout?.topLevel;
  if (directory === undefined) {
    throw new ProcedureError('E_ROLLBACK_TARGET', `${viewing.request.workingDirectory} is not a git checkout`, {
      next: 'Go back to release:ID, image:REF or previous instead. Nothing was changed.',
    });
  }
  const commit = await viewing.source.resolve(directory, ref);
  for (const release of keptReleases(current.history)) {
    if (commit === undefined || release.commit !== commit || isBad(current.history, release.id)) continue;
    if ((await imageOf(viewing, release)) !== undefined) return { kind: 'kept', release };
  }
  return { kind: 'commit', ref, commit };
}

/** By the digest that was recorded when the reference was deployed: a tag may have moved since. */
async function resolveImage(viewing: Viewing, current: Current, reference: string): Promise<ResolvedTarget> {
  const recorded = keptReleases(current.history).find(
    (release) => release.origin === `image:${reference}` || release.image.digest === reference,
  );
  if (recorded === undefined) return { kind: 'image', reference };
  if ((await imageOf(viewing, recorded)) !== undefined) return { kind: 'kept', release: recorded };
  return { kind: 'image', reference: recorded.image.digest ?? reference };
}
