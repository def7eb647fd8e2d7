import { asProcedureError } from '../model/errors.js';
import type { Release, ReleaseWithDefinition, ServiceHistory } from '../model/release.js';
import { keepsRestarting } from '../model/service.js';
import type { IdentifiedContainer } from './candidate.js';
import { describeState } from './diagnose.js';
import { identifiedContainers } from './observe.js';
import { hashesOf } from './replace.js';
import type { Session } from './session.js';
import { routerInPlace } from './traffic-facts.js';

/** What the engine and the router show of a service, read when a change has ended. */
export interface LiveNow {
  /** The one release that serves; undefined when none does, or containers of several do. */
  readonly release: Release | undefined;
  /** The containers and their states, for a person. */
  readonly words: string;
}

/**
 * Reads which release serves. What was started last does not tell: an undo may have left the old containers untouched.
 * @param known releases that were just at hand and may not stand in the ledger yet, the likeliest first
 */
export async function liveNow(session: Session, service: string, known: readonly Release[]): Promise<LiveNow> {
  try {
    const containers = await identifiedContainers(session.engine, session.project, service);
    const serving = await servingOf(session, service, containers);
    const history = await session.ledger.history(service);
    return { release: await releaseOfAll(session, serving, candidates(known, history)), words: wordsOf(containers) };
  } catch (error) {
    session.progress.debug(`what is live of ${service}: ${asProcedureError(error).message}`);
    return { release: undefined, words: 'unknown: the engine does not answer' };
  }
}

/** Containers that run, and of these the ones that the router sends requests to, where it says so. */
async function servingOf(
  session: Session,
  service: string,
  containers: readonly IdentifiedContainer[],
): Promise<readonly IdentifiedContainer[]> {
  const running = containers.filter((one) => one.state === 'running' && !keepsRestarting(one, session.clock.now()));
  const spec = await routerInPlace(session, service);
  if (running.length < 2 || spec.kind === 'none') return running;
  const router = await session.routers.open(spec, { project: session.project, service }).catch(() => undefined);
  const served = await router?.serving().catch(() => undefined);
  const routed = running.filter(({ id }) => served?.includes(id) === true);
  return routed.length === 0 ? running : routed;
}

function candidates(known: readonly Release[], { releases }: ServiceHistory): readonly Release[] {
  const ids = new Set(known.map(({ id }) => id));
  return [...known, ...releases.filter(({ id }) => !ids.has(id)).reverse()];
}

async function releaseOfAll(
  session: Session,
  containers: readonly IdentifiedContainer[],
  releases: readonly Release[],
): Promise<Release | undefined> {
  if (containers.length === 0) return undefined;
  const sameImage = releases.filter(({ image }) =>
    containers.every(({ fingerprint }) => fingerprint === image.fingerprint),
  );
  const recorded = sameImage.find((release) =>
    containers.every(({ composeHash }) => composeHash === release.composeHash),
  );
  if (recorded !== undefined) return recorded;
  for (const release of sameImage) {
    const whole = await definitionIn(session, release);
    if (whole === undefined) continue;
    const hashes = await hashesOf(session, whole);
    if (containers.every(({ composeHash }) => hashes.has(composeHash))) return release;
  }
  return undefined;
}

async function definitionIn(session: Session, release: Release): Promise<ReleaseWithDefinition | undefined> {
  return session.ledger.definition(release.id).catch(() => undefined);
}

function wordsOf(containers: readonly IdentifiedContainer[]): string {
  if (containers.length === 0) return 'no container';
  return containers.map((container) => `${container.name}: ${describeState(container)}`).join('; ');
}
