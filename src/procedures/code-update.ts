import type { Current } from '../steps/candidate.js';
import { buildsOnce, rememberPinned } from '../steps/build-once.js';
import { beginDeployment } from '../steps/deployment.js';
import { lifetimeOf } from '../model/job.js';
import { prepare } from '../steps/prepare.js';
import { diskSpaceGate } from '../steps/gates/disk-space.js';
import { healthGate } from '../steps/gates/health.js';
import { modifiedFilesGate } from '../steps/gates/modified-files.js';
import { passGate } from '../steps/gates/pass-gate.js';
import { observe } from '../steps/observe.js';
import { renderedHashes } from '../steps/rendered.js';
import { endPreview, previewUpdate } from '../steps/preview.js';
import { offerRevert } from '../steps/offer-revert.js';
import { rollOutAll } from '../steps/roll-out-all.js';
import { servicesToDeploy } from '../steps/select-services.js';
import type { Session, Viewing } from '../steps/session.js';
import { fetchWanted } from '../steps/source.js';
import { withoutStopped } from '../steps/stopped.js';
import { requireOneImage } from '../steps/require.js';
import { ended, type Procedure, type ProcedureResult } from './procedure.js';

/** Runbook, Procedure 3: pull the code, build, deploy, verify, watch; back to what ran before when anything is wrong. */
export const codeUpdate: Procedure = {
  name: 'code-update',
  purpose: 'Deploys a commit, a tag or an image, verifies it, watches it, and rolls back by itself.',
  interrupts: false,

  async preview(viewing: Viewing): Promise<ProcedureResult> {
    requireOneImage(viewing.request);
    passGate(viewing, 'modified-files', modifiedFilesGate(viewing.opened));
    passGate(viewing, 'disk-space', await diskSpaceGate(viewing, viewing.opened));
    const planned = await previewUpdate(viewing, 'code-update');
    return ended('completed', await endPreview(viewing, planned));
  },

  async perform(session: Session): Promise<ProcedureResult> {
    requireOneImage(session.request);
    await session.progress.group('Gates', async () => {
      passGate(session, 'modified-files', modifiedFilesGate(session.opened));
      passGate(session, 'disk-space', await diskSpaceGate(session, session.opened));
    });
    const wanted = await session.progress.group('Fetch', () => fetchWanted(session));
    // Compose computes while the engine is asked; `prepare` takes the answer, or its failure.
    const hashes = renderedHashes(session, wanted.project);
    hashes.catch(() => undefined);
    const services = await withoutStopped(session, await servicesToDeploy(session, wanted.project));
    const observed = new Map<string, Current>();
    await session.progress.group('Health before', async () => {
      for (const service of services) {
        const current = await observe(session.engine, session, session.project, service);
        observed.set(service, current);
        passGate(session, 'health', healthGate(service, current, lifetimeOf(wanted.project, service)));
      }
    });
    try {
      await session.progress.group('Build and pull', () => prepare(session, wanted, services, { hashes, observed }));
    } finally {
      const releases = [...session.candidates.values()].map(({ release }) => release);
      const images = rememberPinned(session, wanted.commit, releases);
      if (buildsOnce(session)) beginDeployment(session, wanted.commit, images);
    }
    const candidates = services.flatMap((service) => session.candidates.get(service) ?? []);
    const result = await rollOutAll(session, 'code-update', candidates);
    await offerRevert(session, candidates);
    return result;
  },
};
