import type { EdgeState } from '../model/edge.js';
import { short } from '../model/units.js';
import { replicasBack } from '../model/job.js';
import type { ServicePlan } from '../operations/plan.js';
import type { ReleaseId, ReleaseWithDefinition } from '../model/release.js';
import { knownRestartMs, mountedPaths } from '../model/release.js';
import type { RouterSpec } from '../model/router.js';
import { DEFAULT_HOLD } from '../model/policy.js';
import { edgeUpgradeNote } from '../strategies/edge-upgrade.js';
import { chooseStrategy, type Choice } from '../strategies/index.js';
import { withData } from '../strategies/with-data.js';
import { withRemedies } from '../strategies/with-remedies.js';
import type { CurrentRelease, UndoChange } from '../strategies/strategy.js';
import type { Candidate } from './candidate.js';
import { mountedLive } from './files.js';
import { requireKept } from './keeping.js';
import { identifiedContainers } from './observe.js';
import { withCommand } from './release-command.js';
import { readinessTimeout } from './readiness.js';
import { containerNameOf, hashesOf, publishesPorts } from './replace.js';
import type { Session, Viewing } from './session.js';
import { judgesTraffic, trafficNotes } from './traffic-proof.js';
import { checksFor } from './verify.js';
import { releaseBefore } from './way-back.js';

const DISCARD_NOTE =
  'The network of its edge is gone, so the edge is removed. The next change with router: edge takes the port over again.';

/** Puts together what a strategy needs to know, and lets it plan. */
export function planService(session: Session, candidate: Candidate): ServicePlan {
  return planFor(session, candidate, session.liveCommit.value);
}

/** @param liveCommit commit the live checkout is at when this service's turn comes */
export function planFor(viewing: Viewing, candidate: Candidate, liveCommit: string | undefined): ServicePlan {
  const { strategy, notes } = chooseFor(viewing, candidate);
  const { service, decision, current, release } = candidate;
  if (decision.kind === 'unchanged') {
    const kept = candidate.keptDefinitions;
    return { service, strategy: strategy.name, decision, notes: kept, operations: [], estimatedDowntimeMs: 0 };
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
    watchMs: endsBefore(candidate) ? 0 : viewing.request.watchMs,
    knownRestartMs: knownRestartMs(current.history),
    checks: checksFor(viewing.request, {
      ends: endsBefore(candidate),
      goingBack: false,
      judgesTraffic: judgesTraffic(viewing.request, strategy.name),
    }),
    containerName: candidate.definition.containerName,
    traffic: candidate.traffic,
    update: candidate.definition.update,
    canary: viewing.request.canary,
    hold: candidate.policy.hold ?? DEFAULT_HOLD,
  });
  const plan: ServicePlan = {
    service,
    strategy: strategy.name,
    decision,
    estimatedDowntimeMs: endsBefore(candidate) ? 0 : planned.estimatedDowntimeMs,
    operations: withRemedies(withCommand(withData(planned.operations, candidate.data), candidate), candidate.remedied),
    notes: [
      ...notes,
      // They are about the outage of a service that serves.
      ...(endsBefore(candidate) ? [] : planned.notes),
      ...candidate.keptDefinitions,
      ...(candidate.data?.notes ?? []),
      ...(candidate.remedied?.notes ?? []),
      ...mountNotes(viewing, candidate),
      ...(candidate.traffic.upgrade === undefined ? [] : [edgeUpgradeNote(candidate.traffic.upgrade)]),
      ...(candidate.traffic.discard === true ? [DISCARD_NOTE] : []),
      ...trafficNotes(viewing.request, strategy.name),
    ],
    ...(candidate.diff === undefined || candidate.diff.length === 0 ? {} : { diff: candidate.diff }),
  };
  return requireKept(viewing, plan, candidate.keeping);
}

/** Whether nothing of it runs when it is verified. */
function endsBefore({ lifetime, replicas }: Candidate): boolean {
  return lifetime === 'ends' || replicas === 0;
}

/** The input's word, else the compose file's, else the best that is possible. */
function chooseFor(viewing: Viewing, candidate: Candidate): Choice {
  const { definition, current, lifetime, policy, traffic } = candidate;
  const { request } = viewing;
  const wanted = request.strategy === 'auto' ? (policy.strategy ?? 'auto') : request.strategy;
  // Other data cannot be put in place under containers that run.
  const asked = (candidate.data?.swap.length ?? 0) > 0 ? 'recreate' : wanted;
  const facts = {
    definition,
    router: traffic.router,
    policy,
    readinessSaid: request.readiness !== undefined || policy.readiness !== undefined,
    observed: current.containers,
    lifetime,
    keeping: candidate.keeping,
    knownFiles: Object.keys(candidate.release.files),
  };
  // What is left alone, or is the first of its kind, asks for no way.
  if (candidate.decision.kind === 'unchanged') return chooseStrategy('recreate', facts, candidate.replicas);
  return chooseStrategy(asked, facts, candidate.replicas);
}

/** What runs is kept under its tags before it is replaced; a release that was accepted earlier has them already. */
function replacedRelease({ current, release }: Candidate): CurrentRelease | undefined {
  const before = releaseBefore(current);
  if (before === undefined) return undefined;
  if (before.id !== current.release?.id || current.image === undefined)
    return { id: before.id, image: before.image.id, keepAs: [] };
  return { id: before.id, image: current.image.id, keepAs: [before.image.keptAs, previousTag(release.image.name)] };
}

/** Facts for the way back to the release that ran before, as the engine shows them now. */
export async function planUndo(
  session: Session,
  undo: {
    readonly candidate: Candidate;
    readonly back: ReleaseWithDefinition;
    readonly failed: ReleaseId;
    /** Containers that were there before the change began. */
    readonly before: readonly string[];
    readonly reason: string | undefined;
  },
): Promise<UndoChange> {
  const { candidate, back } = undo;
  const edge = await session.edges.find(session.project, candidate.service);
  const replicas = replicasBack(candidate.lifetime, back, candidate.current.history);
  return {
    containerName: containerNameOf(back),
    router: edge === undefined ? withoutEdge(candidate.traffic.router) : { kind: 'edge' },
    publishes: publishesPorts(back),
    drainTimeoutMs: session.request.drainTimeoutMs,
    ...(await presentState(
      session,
      { service: candidate.service, back, failed: undo.failed, before: undo.before },
      edge,
    )),
    service: candidate.service,
    failed: undo.failed,
    back: back.id,
    tags: await undoneTags(session, candidate, back),
    replicas,
    checkout: undoneCheckout(session, candidate, back),
    readinessTimeoutMs: readinessTimeout(candidate.definition.healthCheck, session.request.readinessTimeoutMs),
    checks: checksFor(session.request, {
      ends: endsBefore({ ...candidate, replicas }),
      goingBack: true,
      judgesTraffic: false,
    }),
    reason: undo.reason,
  };
}

/** Each release has its own image name back. A name that only the failed one has names what it named before the change. */
async function undoneTags(
  { engine }: Session,
  { release, namedImage }: Candidate,
  back: ReleaseWithDefinition,
): Promise<UndoChange['tags']> {
  const own = { tag: back.image.name, to: back.image.id, from: (await engine.image(back.image.name))?.id };
  if (release.image.name === back.image.name || namedImage === undefined) return [own];
  if (namedImage === release.image.id) return [own];
  return [own, { tag: release.image.name, to: namedImage, from: release.image.id }];
}

/** An edge that is not there can be told nothing. */
function withoutEdge(router: RouterSpec): RouterSpec {
  return router.kind === 'edge' ? { kind: 'none' } : router;
}

/**
 * What is there of the service, and which of it is good: of the release that comes back, and able to serve. A container
 * that publishes ports which the edge has by now can never be started again.
 */
async function presentState(
  session: Session,
  {
    service,
    back,
    failed,
    before,
  }: {
    readonly service: string;
    readonly back: ReleaseWithDefinition;
    readonly failed: ReleaseId;
    readonly before: readonly string[];
  },
  edge: EdgeState | undefined,
): Promise<Pick<UndoChange, 'present' | 'takeover'>> {
  const containers = await identifiedContainers(session.engine, session.project, service);
  const hashes = await hashesOf(session, back);
  const ports = edge?.spec.ports.map(({ published }) => published) ?? [];
  const present = containers.map((container) => {
    const matches = container.fingerprint === back.image.fingerprint && hashes.has(container.composeHash);
    // The same release once more (maintenance): only what was there before is known to be good.
    const known = failed !== back.id || before.includes(container.id);
    const blocked = edge?.open === true && container.publishes;
    const reached = edge === undefined || edge.spec.networks.some(({ name }) => container.networks[name] !== undefined);
    const good = matches && known && !blocked && reached;
    return { id: container.id, good, running: container.state === 'running' };
  });
  const oldHasPorts = edge?.open !== true && containers.some((container) => container.publishes);
  return {
    present,
    takeover: edge === undefined || !edge.takeover ? undefined : { ports, oldHasPorts, redirected: edge.redirected },
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
