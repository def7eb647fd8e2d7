import type { Viewing } from '../session.js';

/** A maintenance is for security patches as well: base images are fetched anew. */
export function withFreshBases<T extends Viewing>(viewing: T): T {
  return { ...viewing, request: { ...viewing.request, pullBase: true } };
}
