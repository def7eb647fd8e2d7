import { allSucceeded, hasCompleted, lifetimeOf, restOf, type Lifetime } from '../model/job.js';
import type { ReleaseEvent, ReleaseId } from '../model/release.js';
import type { Current } from './candidate.js';
import type { Session, Viewing } from './session.js';

/** Writes into the ledger that the job of a release ended with exit code 0: its container may be removed after that. */
export async function recordCompletion(session: Session, service: string, release: ReleaseId): Promise<void> {
  const lifetime = lifetimeIn(session, service);
  if (lifetime === 'stays') return;
  const [containers, history] = await Promise.all([
    session.engine.containers(session.project, service),
    session.ledger.history(service),
  ]);
  if (!allSucceeded(lifetime, containers) || hasCompleted(history, release)) return;
  await session.ledger.addEvent(completion(session, service, release));
}

/**
 * The same of what is found: the job may have ended after the run that started it. Changes nothing.
 * @returns undefined when the ledger has it, or the job has not completed
 */
export function completionFound(viewing: Viewing, service: string, current: Current): ReleaseEvent | undefined {
  const { release, history, containers } = current;
  if (release === undefined || containers.length === 0 || hasCompleted(history, release.id)) return undefined;
  if (restOf(lifetimeOf(viewing.opened.live, service), current) !== 'completed') return undefined;
  return completion(viewing, service, release.id);
}

/** The compose file that is being deployed may be the first that has the service. */
function lifetimeIn(session: Session, service: string): Lifetime {
  return session.candidates.get(service)?.lifetime ?? lifetimeOf(session.opened.live, service);
}

function completion({ clock, invocation }: Viewing, service: string, release: ReleaseId): ReleaseEvent {
  return {
    at: new Date(clock.now()).toISOString(),
    kind: 'completed',
    service,
    release,
    reason: 'its job ended with exit code 0',
    run: invocation.runId,
    restartMs: undefined,
  };
}
