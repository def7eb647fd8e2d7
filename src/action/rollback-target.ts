import type { RollbackTarget } from '../model/request.js';
import { imageReferenceProblem, refProblem } from './shapes.js';

const RELEASE_ID = /^\d{8}T\d{6}Z-[0-9a-f]{6}$/i;
/** A whole id, or a beginning that has at least the day: the ledger says whether only one release has it. */
const RELEASE_ID_BEGINNING = /^\d{8}(?:T(?:\d{0,6}|\d{6}Z(?:-[0-9a-f]{0,6})?))?$/i;

/**
 * Reads `rollback-to`. Only `previous` may stand without a prefix: `v1.2.3` can be a tag of git or of an image, and the
 * wrong guess brings the wrong release back.
 * @returns the target, or what is wrong with the text
 */
export function readRollbackTarget(text: string): RollbackTarget | { readonly problem: string } {
  if (text === 'previous') return { kind: 'previous' };
  const colon = text.indexOf(':');
  const prefix = colon === -1 ? undefined : text.slice(0, colon);
  const rest = text.slice(colon + 1).trim();
  switch (prefix) {
    case 'release':
      return RELEASE_ID_BEGINNING.test(rest)
        ? { kind: 'release', id: rest }
        : { problem: `"${rest}" is not a release id; they look like 20261124T031502Z-3f9a1c and \`check\` lists them` };
    case 'git': {
      const problem = refProblem(rest);
      return problem === undefined ? { kind: 'git', ref: rest } : { problem };
    }
    case 'image': {
      const problem = imageReferenceProblem(rest);
      return problem === undefined ? { kind: 'image', reference: rest } : { problem };
    }
    default:
      return { problem: `"${text}" can mean more than one thing; write ${readings(text).join(' or ')}` };
  }
}

/** What a value without a prefix could mean, likeliest first. */
function readings(text: string): readonly string[] {
  if (RELEASE_ID.test(text)) return [`release:${text}`, `git:${text}`];
  if (/^prev/i.test(text)) return ['previous', `git:${text}`];
  const found: string[] = [];
  if (imageReferenceProblem(text) === undefined && /[/:@]/.test(text)) found.push(`image:${text}`);
  if (refProblem(text) === undefined) found.push(`git:${text}`);
  const isTag = /^\w[\w.-]{0,127}$/.test(text);
  if (isTag && !/^[0-9a-f]{7,64}$/.test(text)) found.push(`image:NAME:${text}`);
  return found.length === 0 ? ['previous', 'release:ID', 'git:REF', 'image:REF'] : found;
}
