import { ProcedureError } from '../model/errors.js';
import { lifetimeOf } from '../model/job.js';
import type { Operation } from '../operations/operation.js';
import { isBad, type Release } from '../model/release.js';
import type { Candidate, Current } from '../steps/candidate.js';
import { isBefore } from '../steps/commit-order.js';
import { rememberPinned } from '../steps/build-once.js';
import { beginDeployment } from '../steps/deployment.js';
import { refuseKnown } from '../steps/gates/creatable.js';
import { diskSpaceGate } from '../steps/gates/disk-space.js';
import { healthGate } from '../steps/gates/health.js';
import { modifiedFilesGate } from '../steps/gates/modified-files.js';
import { passGate } from '../steps/gates/pass-gate.js';
import { adopt, viewAdopted } from '../steps/adopt.js';
import { observe } from '../steps/observe.js';
import { comingBack, keptCandidate } from '../steps/kept-candidate.js';
import { offerRevert } from '../steps/offer-revert.js';
import { prepare } from '../steps/prepare.js';
import { endPreview, previewCandidates, viewCandidates, viewWanted, type Viewed } from '../steps/preview.js';
import { resolveTarget, type ResolvedTarget } from '../steps/rollback-target.js';
import { rollOutAll } from '../steps/roll-out-all.js';
import { selectServices } from '../steps/select-services.js';
import type { Session, Viewing } from '../steps/session.js';
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
    const services = await withoutStopped(viewing, selectServices(viewing, viewing.opened.live));
    await passFirstGates(viewing);
    const preparation: Operation[] = [];
    const candidates: Candidate[] = [];
    for (const service of services) {
      const current = await viewAdopted(viewing, service);
      const target = await findTarget(viewing, service, current);
      if (target === undefined) continue;
      const viewed = await viewTarget(viewing, service, current, target);
      preparation.push(...viewed.preparation);
      candidates.push(...viewed.candidates.map(comingBack));
    }
    if (candidates.length === 0) throw nothingToGoBackTo(services);
    const planned = await previewCandidates(viewing, 'rollback', { preparation, candidates });
    return ended('completed', await endPreview(viewing, planned));
  },

  async perform(session: Session): Promise<ProcedureResult> {
    const services = await withoutStopped(session, selectServices(session, session.opened.live));
    await session.progress.group('Gates', () => passFirstGates(session));
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

async function passFirstGates(viewing: Viewing): Promise<void> {
  passGate(viewing, 'modified-files', modifiedFilesGate(viewing.opened));
  passGate(viewing, 'disk-space', await diskSpaceGate(viewing, viewing.opened));
}

/** @returns undefined for a service of a whole project that never had another release */
async function find(session: Session, service: string): Promise<Candidate | undefined> {
  const current = await adopt(session, service, await observe(session.engine, session, session.project, service));
  passGate(session, 'health', healthGate(service, current, lifetimeOf(session.opened.live, service)));
  const target = await findTarget(session, service, current);
  const candidate = target === undefined ? undefined : await obtain(session, service, current, target);
  return candidate === undefined ? undefined : comingBack(candidate);
}

/** @returns what a service goes back to; undefined as `find` says */
async function findTarget(viewing: Viewing, service: string, current: Current): Promise<ResolvedTarget | undefined> {
  const { services, rollbackTo } = viewing.request;
  let target: ResolvedTarget;
  try {
    target = await resolveTarget(viewing, rollbackTo, current);
  } catch (error) {
    const optional = services.length === 0 && rollbackTo.kind === 'previous';
    if (!optional || !(error instanceof ProcedureError) || error.code !== 'E_ROLLBACK_TARGET') throw error;
    viewing.progress.info(`${service} has no other release: it is left alone`);
    return undefined;
  }
  if (target.kind === 'kept') refuseBad(viewing, current, target.release);
  return target;
}

/** What `obtain` would build, pull or take, for a dry run. */
async function viewTarget(
  viewing: Viewing,
  service: string,
  current: Current,
  target: ResolvedTarget,
): Promise<Viewed> {
  if (target.kind === 'kept') {
    const candidate = await keptCandidate(viewing, target.release.id, current);
    if (candidate.decision.kind !== 'unchanged') await refuseKnown(viewing, service, candidate.release.definition);
    return { preparation: [], candidates: [candidate] };
  }
  const asked = asTarget(viewing, target);
  const live = wantedFromLive(viewing.opened, viewing.request.workingDirectory);
  return viewCandidates(asked, target.kind === 'image' ? live : await viewWanted(asked), [service], 'build-or-pull');
}

/** @returns the run as one that asks for what a service goes back to */
function asTarget<T extends Viewing>(viewing: T, target: Exclude<ResolvedTarget, { readonly kind: 'kept' }>): T {
  const asked = target.kind === 'image' ? { image: target.reference } : { ref: target.ref, image: undefined };
  return { ...viewing, request: { ...viewing.request, ...asked } };
}

async function obtain(
  session: Session,
  service: string,
  current: Current,
  target: ResolvedTarget,
): Promise<Candidate | undefined> {
  switch (target.kind) {
    case 'kept':
      session.progress.info(`${service}: back to release ${target.release.id} (${target.release.origin})`);
      return keptCandidate(session, target.release.id, current);
    case 'commit': {
      session.progress.info(
        `${service}: no kept release is of ${target.ref}; its recorded image is taken, or else it is built`,
      );
      const building = asTarget(session, target);
      await prepare(building, await fetchWanted(building), [service]);
      return session.candidates.get(service);
    }
    case 'image': {
      session.progress.info(`${service}: ${target.reference} with the configuration of today`);
      const pulling = asTarget(session, target);
      await prepare(pulling, wantedFromLive(session.opened, session.request.workingDirectory), [service]);
      return session.candidates.get(service);
    }
  }
}

function refuseBad(viewing: Viewing, current: Current, release: Release): void {
  const event = current.history.events.findLast((entry) => entry.release === release.id && entry.kind === 'bad');
  passGate(
    viewing,
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

function nothingToGoBackTo(services: readonly string[]): ProcedureError {
  return new ProcedureError('E_ROLLBACK_TARGET', `No release to go back to for ${services.join(', ')}`, {
    next: 'The ledger fills with each deploy. Name a commit or an image: git:REF, image:REF. Nothing was changed.',
  });
}
