import { ProcedureError } from '../../model/errors.js';
import type { Run } from '../../run/run.js';
import { isBefore } from '../commit-order.js';
import type { OpenProject } from '../session.js';
import type { GateFinding } from './pass-gate.js';

/**
 * Running an old run again deploys its old commit. Nobody who wants the newest one notices, so it has to be said; a commit
 * that is named in `ref` is said.
 */
export async function downgradeGate(run: Run, opened: OpenProject, commit: string): Promise<GateFinding> {
  const live = opened.checkout?.commit;
  const { ref, allowDowngrade } = run.request;
  if (ref !== undefined || live === undefined || !(await isBefore(run, opened, commit, live)))
    return { kind: 'pass', detail: `commit ${commit.slice(0, 12)} is not older than what is live` };
  const what = `Commit ${commit.slice(0, 12)} is older than ${live.slice(0, 12)}, which is live`;
  if (allowDowngrade) return { kind: 'warn', detail: `${what}, and allow-downgrade is given` };
  return {
    kind: 'refuse',
    error: new ProcedureError('E_GATE', `${what}: this would be a downgrade`, {
      next: `To go back on purpose: procedure rollback with rollback-to: git:${commit.slice(0, 12)}, or allow-downgrade: true. For the newest commit, run the workflow of that one. Nothing was changed.`,
    }),
  };
}
