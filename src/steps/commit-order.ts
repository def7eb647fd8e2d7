import type { Run } from '../run/run.js';
import type { OpenProject } from './session.js';

/**
 * @returns whether all that a commit has is in the other one already, and more; false when either is not known, or is in the
 * checkout no more: a release can outlive its commit
 */
export async function isBefore(
  { source }: Run,
  { checkout }: OpenProject,
  commit: string | undefined,
  than: string | undefined,
): Promise<boolean> {
  if (checkout === undefined || commit === undefined || than === undefined || commit === than) return false;
  for (const one of [commit, than]) if ((await source.resolve(checkout.topLevel, one)) === undefined) return false;
  return (await source.log(checkout.topLevel, than, commit, 1)).length === 0;
}
