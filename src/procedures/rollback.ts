import { ProcedureError } from '../model/errors.js';
import { isBad, type Release } from '../model/release.js';
import type { Candidate, Current } from '../steps/candidate.js';
import { isBefore } from '../steps/commit-order.js';
import { rememberPinned } from '../steps/build-once.js';
import { beginDeployment } from '../steps/deployment.js';
import { diskSpaceGate } from '../steps/gates/disk-space.js';
import { healthGate } from '../steps/gates/health.js';
import { modifiedFilesGate } from '../steps/gates/modified-files.js';
import { passGate } from '../steps/gates/pass-gate.js';
import { keptCandidate } from '../steps/kept-candidate.js';
import { adopt, viewAdopted } from '../steps/adopt.js';
import { observe } from '../steps/observe.js';
import { withDataChanges } from '../steps/data-change.js';
import { planFor } from '../steps/plan-service.js';
import { offerRevert } from '../steps/offer-revert.js';
import { prepare } from '../steps/prepare.js';
import { previewUpdate } from '../steps/preview.js';
import { resolveTarget, type ResolvedTarget } from '../steps/rollback-target.js';
import { rollOutAll } from '../steps/roll-out-all.js';
import { selectServices } from '../steps/select-services.js';
import type { Session, Viewing } from '../steps/session.js';
import { describePreview } from '../steps/show-plan.js';
import { fetchWanted } from '../steps/source.js';
import { withoutStopped } from '../steps/stopped.js';
import { wantedFromLive } from '../steps/wanted.js';
import { ended, type Procedure, type ProcedureResult } from './procedure.js';

/**
 * Runbook, Rollback Procedures: back to the previous release, to a git commit, or to a tagged image; image and
 * configuration together. Goes through the same gates, replacement, verification, watch and report as a deploy.
 */
export const rollback: Procedure = {
  name: 'rollback',
  purpose: 'Brings an earlier release back: the previous one, one of the ledger, a git commit or an image.',
  interrupts: true,

  async preview(viewing: Viewing): Promise<ProcedureResult> {
    const candidates: Candidate[] = [];
    for (const service of await withoutStopped(viewing, selectServices(viewing, viewing.opened.live))) {
      const current = await viewAdopted(viewing, service);
      const target = await resolveTarget(viewing, viewing.request.rollbackTo, current);
      if (target.kind !== 'kept')
        return ended('completed', describePreview(viewing, await previewOther(viewing, target)));
      candidates.push(await keptCandidate(viewing, target.release.id, current));
    }
    const planned = await withDataChanges(viewing, candidates, true);
    const services = planned.map((candidate) => planFor(viewing, candidate, viewing.opened.checkout?.commit));
    return ended('completed', describePreview(viewing, { procedure: 'rollback', preparation: [], services }));
  },

  async perform(session: Session): Promise<ProcedureResult> {
    const services = await withoutStopped(session, selectServices(session, session.opened.live));
    await session.progress.group('Gates', async () => {
      passGate(session, 'modified-files', modifiedFilesGate(session.opened));
      passGate(session, 'disk-space', await diskSpaceGate(session, session.opened));
    });
    const candidates: Candidate[] = [];
    for (const service of services) {
      const candidate = await session.progress.group(`What to go back to: ${service}`, () => find(session, service));
      if (candidate !== undefined) candidates.push(candidate);
    }
    if (candidates.length === 0) throw nothingToGoBackTo(services);
    const releases = candidates.map(({ release }) => release);
    const commit = releases[0]?.commit;
    beginDeployment(session, commit, rememberPinned(session, commit, releases));
    const result = await rollOutAll(session, 'rollback', candidates);
    await markLeftReleases(session, candidates);
    await offerRevert(session, candidates);
    return result;
  },
};

/** @returns undefined for a service of a whole project that never had another release */
async function find(session: Session, service: string): Promise<Candidate | undefined> {
  const current = await adopt(session, service, await observe(session.engine, session, session.project, service));
  passGate(session, 'health', healthGate(service, current));
  let target: ResolvedTarget;
  try {
    target = await resolveTarget(session, session.request.rollbackTo, current);
  } catch (error) {
    const optional = session.request.services.length === 0 && session.request.rollbackTo.kind === 'previous';
    if (!optional || !(error instanceof ProcedureError) || error.code !== 'E_ROLLBACK_TARGET') throw error;
    session.progress.info(`${service} has no other release: it is left alone`);
    return undefined;
  }
  return obtain(session, service, current, target);
}

async function obtain(
  session: Session,
  service: string,
  current: Current,
  target: ResolvedTarget,
): Promise<Candidate | undefined> {
  switch (target.kind) {
    case 'kept':
      refuseBad(session, current, target.release);
      session.progress.info(`${service}: back to release ${target.release.id} (${target.release.origin})`);
      return keptCandidate(session, target.release.id, current);
    case 'commit': {
      session.progress.info(
        `${service}: no kept release is of ${target.ref}; its recorded image is taken, or else it is built`,
      );
      const building: Session = { ...session, request: { ...session.request, ref: target.ref, image: undefined } };
      await prepare(building, await fetchWanted(building), [service]);
      return session.candidates.get(service);
    }
    case 'image': {
      session.progress.info(`${service}: ${target.reference} with the configuration of today`);
      const pulling: Session = { ...session, request: { ...session.request, image: target.reference } };
      await prepare(pulling, wantedFromLive(session.opened, session.request.workingDirectory), [service]);
      return session.candidates.get(service);
    }
  }
}

function refuseBad(session: Session, current: Current, release: Release): void {
  const event = current.history.events.findLast((entry) => entry.release === release.id && entry.kind === 'bad');
  passGate(
    session,
    'bad-release',
    isBad(current.history, release.id)
      ? {
          kind: 'refuse',
          error: new ProcedureError(
            'E_BAD_RELEASE',
            `Release ${release.id} was rolled back before: ${event?.reason ?? 'no reason recorded'}`,
            { next: 'Choose another release, or set force: true. Nothing was changed.' },
          ),
        }
      : { kind: 'pass', detail: `${release.id} was not rolled back before` },
  );
}

/** What was left by going back is bad: deploying the same again is refused without force. What a newer one replaced is not. */
async function markLeftReleases(session: Session, candidates: readonly Candidate[]): Promise<void> {
  for (const { service, current, release } of candidates) {
    const left = current.release;
    if (!session.deployed.has(service) || left === undefined || left.id === release.id) continue;
    if (await isBefore(session, session.opened, left.commit, release.commit)) continue;
    await session.execute(
      {
        kind: 'reject-release',
        service,
        release: left.id,
        reason: `${session.invocation.actor} rolled back from it to ${release.id}`,
      },
      session.signal,
    );
  }
}

async function previewOther(viewing: Viewing, target: ResolvedTarget): ReturnType<typeof previewUpdate> {
  const request =
    target.kind === 'image'
      ? { ...viewing.request, image: target.reference, ref: viewing.opened.checkout?.commit }
      : { ...viewing.request, image: undefined, ref: target.kind === 'commit' ? target.ref : undefined };
  return previewUpdate({ ...viewing, request }, 'rollback');
}

function nothingToGoBackTo(services: readonly string[]): ProcedureError {
  return new ProcedureError('E_ROLLBACK_TARGET', `No release to go back to for ${services.join(', ')}`, {
    next: 'The ledger fills with each deploy. Name a commit or an image: git:REF, image:REF. Nothing was changed.',
  });
}
