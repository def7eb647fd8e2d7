import { short } from '../model/operation.js';
import type { ServicePlan } from '../model/plan.js';
import type { ReleaseId, ReleaseWithDefinition } from '../model/release.js';
import { knownRestartMs, mountedPaths } from '../model/release.js';
import { chooseStrategy } from '../strategies/index.js';
import type { CurrentRelease, UndoChange } from '../strategies/strategy.js';
import type { Candidate } from './candidate.js';
import { mountedLive } from './files.js';
import { readinessTimeout } from './readiness.js';
import type { Session, Viewing } from './session.js';
import { checksFor } from './verify.js';
import { releaseBefore } from './way-back.js';

/** Puts together what a strategy needs to know, and lets it plan. */
export function planService(session: Session, candidate: Candidate): ServicePlan {
  return planFor(session, candidate, session.liveCommit.value);
}

/** @param liveCommit commit the live checkout is at when this service's turn comes */
export function planFor(viewing: Viewing, candidate: Candidate, liveCommit: string | undefined): ServicePlan {
  const strategy = chooseStrategy(viewing.request.strategy);
  const { service, decision, current, release } = candidate;
  if (decision.kind === 'unchanged') {
    return { service, strategy: strategy.name, decision, notes: [], operations: [], estimatedDowntimeMs: 0 };
  }
  const planned = strategy.plan({
    service,
    wanted: release.id,
    imageName: release.image.name,
    wantedImage: release.image.id,
    namedImage: candidate.namedImage,
    current: replacedRelease(candidate),
    observed: current.containers,
    replicas: candidate.replicas,
    checkout: checkoutMove(viewing, liveCommit, release.commit),
    readinessTimeoutMs: readinessTimeout(candidate.definition.healthCheck, viewing.request.readinessTimeoutMs),
    watchMs: viewing.request.watchMs,
    knownRestartMs: knownRestartMs(current.history),
    checks: checksFor(viewing.request, { oneShot: candidate.oneShot, goingBack: false }),
  });
  return {
    service,
    strategy: strategy.name,
    decision,
    ...planned,
    notes: [...planned.notes, ...mountNotes(viewing, candidate)],
  };
}

/** What runs is kept under its tags before it is replaced; a release that was accepted earlier has them already. */
function replacedRelease({ current, release }: Candidate): CurrentRelease | undefined {
  const before = releaseBefore(current);
  if (before === undefined || current.image === undefined) return undefined;
  if (before.id !== current.release?.id) return { id: before.id, image: before.image.id, keepAs: [] };
  return { id: before.id, image: current.image.id, keepAs: [before.image.keptAs, previousTag(release.image.name)] };
}

/** Facts for the way back to the release that ran before. */
export function planUndo(
  session: Session,
  undo: {
    readonly candidate: Candidate;
    readonly back: ReleaseWithDefinition;
    readonly failed: ReleaseId;
    readonly reason: string | undefined;
  },
): UndoChange {
  const { candidate, back } = undo;
  return {
    service: candidate.service,
    failed: undo.failed,
    back: back.id,
    imageName: back.image.name,
    backImage: back.image.id,
    namedImage: candidate.release.image.id,
    replicas: back.replicas,
    checkout: undoneCheckout(session, candidate, back),
    readinessTimeoutMs: readinessTimeout(candidate.definition.healthCheck, session.request.readinessTimeoutMs),
    checks: checksFor(session.request, { oneShot: candidate.oneShot, goingBack: true }),
    reason: undo.reason,
  };
}

/**
 * The checkout goes back with the service. When other services of this run are live from the new commit it stays, unless
 * the release that comes back mounts files of the checkout: then it cannot run from anything but its own commit. It goes
 * where it was when the run began, or, when that is the commit of a release that was never accepted, to the one's that
 * comes back.
 */
function undoneCheckout(session: Session, candidate: Candidate, back: ReleaseWithDefinition): UndoChange['checkout'] {
  const mountsCheckout = Object.values(back.files).some((hash) => hash.startsWith('git:'));
  if (session.deployed.size > 0 && !mountsCheckout) {
    session.recorder.nextSteps.push(
      `The checkout stays at ${short(session.liveCommit.value ?? '')}, because ${[...session.deployed].join(', ')} runs from it; ${back.service} runs from the definition that the ledger keeps.`,
    );
    return undefined;
  }
  if (session.deployed.size > 0) {
    session.recorder.nextSteps.push(
      `The checkout went back, because ${back.service} mounts files of it; check ${[...session.deployed].join(', ')}, which were deployed from the newer commit.`,
    );
  }
  const ranBefore = back.id === candidate.current.release?.id;
  return checkoutMove(
    session,
    session.liveCommit.value,
    ranBefore ? session.startCommit : (back.commit ?? session.startCommit),
  );
}

function checkoutMove(
  viewing: Viewing,
  from: string | undefined,
  to: string | undefined,
): { readonly directory: string; readonly from: string; readonly to: string } | undefined {
  const directory = viewing.opened.checkout?.topLevel;
  if (directory === undefined || from === undefined || to === undefined || from === to) return undefined;
  return { directory, from, to };
}

/** The runbook's `roma-builder:previous`. */
export function previousTag(imageName: string): string {
  const withoutDigest = imageName.split('@')[0] ?? imageName;
  const slash = withoutDigest.lastIndexOf('/');
  const colon = withoutDigest.indexOf(':', slash + 1);
  return `${colon === -1 ? withoutDigest : withoutDigest.slice(0, colon)}:previous`;
}

function mountNotes(viewing: Viewing, candidate: Candidate): readonly string[] {
  const top = viewing.opened.checkout?.topLevel;
  if (top === undefined) return [];
  const project = { ...viewing.opened.live, configs: {}, secrets: {} };
  const mounted = mountedLive(mountedPaths(project, candidate.definition), top);
  if (mounted.length === 0) return [];
  return [
    `Mounted live from the checkout: ${mounted.join(', ')}. There moving the checkout is the change, before the container is replaced.`,
  ];
}
