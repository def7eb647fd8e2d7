import { diskSpaceGate } from '../steps/gates/disk-space.js';
import { healthGate } from '../steps/gates/health.js';
import { modifiedFilesGate } from '../steps/gates/modified-files.js';
import { passGate } from '../steps/gates/pass-gate.js';
import { observe } from '../steps/observe.js';
import { prepare } from '../steps/prepare.js';
import { previewUpdate } from '../steps/preview.js';
import { rollOutAll } from '../steps/roll-out-all.js';
import { servicesToDeploy } from '../steps/select-services.js';
import type { Session, Viewing } from '../steps/session.js';
import { describePreview, withRestart } from '../steps/show-plan.js';
import { fetchWanted } from '../steps/source.js';
import { withoutStopped } from '../steps/stopped.js';
import type { Candidate } from '../steps/candidate.js';
import { ended, type Procedure, type ProcedureResult } from './procedure.js';

/**
 * Runbook, Procedure 5, T-0 and T+5min: fresh base images, everything recreated in dependency order one at a time, each
 * verified and watched. What is unchanged is recreated as well: that is what a maintenance window is for.
 */
export const maintenance: Procedure = {
  name: 'maintenance',
  purpose: 'Pulls, rebuilds on fresh base images and recreates every service, one at a time, each verified.',
  interrupts: false,

  async preview(viewing: Viewing): Promise<ProcedureResult> {
    passGate(viewing, 'modified-files', modifiedFilesGate(viewing.opened));
    const plan = await previewUpdate(withFreshBases(viewing), 'maintenance');
    return ended('completed', describePreview(viewing, plan));
  },

  async perform(session: Session): Promise<ProcedureResult> {
    await session.progress.group('Gates', async () => {
      passGate(session, 'modified-files', modifiedFilesGate(session.opened));
      passGate(session, 'disk-space', await diskSpaceGate(session, session.opened));
    });
    const fresh = withFreshBases(session);
    const wanted = await session.progress.group('Fetch', () => fetchWanted(fresh));
    const services = await withoutStopped(fresh, await servicesToDeploy(fresh, wanted.project));
    await session.progress.group('Build and pull', async () => {
      for (const service of services) {
        passGate(
          session,
          'health',
          healthGate(service, await observe(session.engine, session, session.project, service)),
        );
      }
      await prepare(fresh, wanted, services);
    });
    const candidates = services.flatMap((service) => session.candidates.get(service) ?? []);
    return rollOutAll(session, 'maintenance', candidates.map(recreated));
  },
};

function withFreshBases<T extends Viewing>(viewing: T): T {
  return { ...viewing, request: { ...viewing.request, pullBase: true } };
}

/** One-shot services that are unchanged have done their work. */
function recreated(candidate: Candidate): Candidate {
  if (candidate.decision.kind !== 'unchanged' || candidate.oneShot) return candidate;
  return withRestart(candidate, 'maintenance recreates what is unchanged as well');
}
