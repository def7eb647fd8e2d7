import type { ImageFacts } from '../model/image.js';

/** Where an image that is not built here comes from. */
export type ImageOrigin = 'engine' | 'registry' | 'registry-or-engine';

/** Values of `pull_policy` that take what the engine has (compose-spec, "pull_policy"). */
const CONTENT_WITH_LOCAL: ReadonlySet<unknown> = new Set(['never', 'missing', 'if_not_present']);

/**
 * Once it is here: one named by digest or id cannot have changed, and one that was built on this host and never pushed
 * has no registry to come from. Everything else is pulled, since a tag may have moved.
 *
 * The containerd store gives every image a registry digest, built or pulled (measured on Engine 28.5.2): there only the
 * registry can say whether it has it.
 */
export function imageOrigin(wanted: {
  readonly reference: string;
  readonly local: ImageFacts | undefined;
  readonly pullPolicy: unknown;
  readonly containerdStore: boolean;
}): ImageOrigin {
  const { reference, local, pullPolicy, containerdStore } = wanted;
  if (local === undefined) return 'registry';
  if (reference.includes('@sha256:') || reference === local.id || CONTENT_WITH_LOCAL.has(pullPolicy)) return 'engine';
  if (local.digests.length === 0) return 'engine';
  return containerdStore ? 'registry-or-engine' : 'registry';
}
