import { allSucceeded, hasCompleted, lifetimeOf, restOf, type Lifetime } from '../model/job.js';
import type { ReleaseId } from '../model/release.js';
import type { Current } from './candidate.js';
import type { Session } from './session.js';

/** Writes into the ledger that the job of a release ended with exit code 0: its container may be removed after that. */
export async function recordCompletion(session: Session, service: string, release: ReleaseId): Promise<void> {
  const lifetime = lifetimeIn(session, service);
  if (lifetime === 'stays') return;
  const [containers, history] = await Promise.all([
    session.engine.containers(session.project, service),
    session.ledger.history(service),
  ]);
  if (!allSucceeded(lifetime, containers) || hasCompleted(history, release)) return;
  await addCompletion(session, service, release);
}

/** The same of what is found: the job may have ended after the run that started it. */
export async function completionFound(session: Session, service: string, current: Current): Promise<Current> {
  const { release, history, containers } = current;
  if (release === undefined || containers.length === 0 || hasCompleted(history, release.id)) return current;
  if (restOf(lifetimeIn(session, service), current) !== 'completed') return current;
  await addCompletion(session, service, release.id);
  return { ...current, history: await session.ledger.history(service) };
}

/** The compose file that is being deployed may be the first that has the service. */
function lifetimeIn(session: Session, service: string): Lifetime {
  return session.candidates.get(service)?.lifetime ?? lifetimeOf(session.opened.live, service);
}

async function addCompletion(session: Session, service: string, release: ReleaseId): Promise<void> {
  await session.ledger.addEvent({
    at: new Date(session.clock.now()).toISOString(),
    kind: 'completed',
    service,
    release,
    reason: 'its job ended with exit code 0',
    run: session.invocation.runId,
    restartMs: undefined,
  });
}
