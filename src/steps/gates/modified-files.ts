import { ProcedureError } from '../../model/errors.js';
import type { OpenProject } from '../session.js';
import type { GateFinding } from './pass-gate.js';

/** Somebody edited tracked files on the host: moving the checkout would lose that, so a person decides. */
export function modifiedFilesGate(opened: OpenProject): GateFinding {
  const { checkout } = opened;
  if (checkout === undefined) return { kind: 'pass', detail: 'not a git checkout' };
  if (checkout.modified.length === 0) return { kind: 'pass', detail: 'no tracked file was modified' };
  const shown = checkout.modified.slice(0, 10).join(', ');
  const more = checkout.modified.length > 10 ? ` and ${checkout.modified.length - 10} more` : '';
  return {
    kind: 'refuse',
    error: new ProcedureError('E_SOURCE', `Tracked files were modified in ${checkout.topLevel}: ${shown}${more}`, {
      next: 'Commit them, or take them back with git checkout -- FILE; they are never stashed. Nothing was changed.',
    }),
  };
}
