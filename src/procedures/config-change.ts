import { lifetimeOf } from '../model/job.js';
import { beginDeployment } from '../steps/deployment.js';
import { diskSpaceGate } from '../steps/gates/disk-space.js';
import { healthGate } from '../steps/gates/health.js';
import { passGate } from '../steps/gates/pass-gate.js';
import { observe } from '../steps/observe.js';
import { prepare } from '../steps/prepare.js';
import { endPreview, previewLive } from '../steps/preview.js';
import { requireEnvironment, requireKnownServices } from '../steps/require-environment.js';
import { rollOutAll } from '../steps/roll-out-all.js';
import { selectServices } from '../steps/select-services.js';
import type { Session, Viewing } from '../steps/session.js';
import { withoutStopped } from '../steps/stopped.js';
import { wantedFromLive } from '../steps/wanted.js';
import { ended, type Procedure, type ProcedureResult } from './procedure.js';

/**
 * Runbook, Procedure 2: the compose file or `.env` was edited on the host; only services whose configuration changed are
 * recreated, one at a time, with the image they have. Opening the project has validated the files already.
 */
export const configChange: Procedure = {
  name: 'config-change',
  purpose: 'Applies changes of the compose files and .env as they lie on the host; builds and pulls nothing.',
  interrupts: false,

  async preview(viewing: Viewing): Promise<ProcedureResult> {
    requireKnownServices(viewing);
    return ended('completed', await endPreview(viewing, await previewLive(viewing, 'config-change')));
  },

  async perform(session: Session): Promise<ProcedureResult> {
    requireKnownServices(session);
    const wanted = wantedFromLive(session.opened, session.request.workingDirectory);
    const services = await withoutStopped(session, selectServices(session, wanted.project));
    await session.progress.group('Gates', async () => {
      passGate(session, 'disk-space', await diskSpaceGate(session, session.opened));
      for (const service of services) {
        passGate(
          session,
          'health',
          healthGate(
            service,
            await observe(session.engine, session, session.project, service),
            lifetimeOf(wanted.project, service),
          ),
        );
      }
    });
    beginDeployment(session, wanted.commit);
    await session.progress.group('What changes', () => prepare(session, wanted, services, { images: 'as-named' }));
    const candidates = services.flatMap((service) => session.candidates.get(service) ?? []);
    await requireEnvironment(session, candidates);
    return rollOutAll(session, 'config-change', candidates);
  },
};
