import type { Run } from '../run/run.js';
import type { OpenProject } from './session.js';

/** @returns whether all that a commit has is in the other one already, and more; false when either is not known */
export async function isBefore(
  { source }: Run,
  { checkout }: OpenProject,
  commit: string | undefined,
  than: string | undefined,
): Promise<boolean> {
  if (checkout === undefined || commit === undefined || than === undefined || commit === than) return false;
  return (await source.log(checkout.topLevel, than, commit, 1)).length === 0;
}
