import { allSucceeded, lifetimeOf } from '../model/job.js';
import type { RecoveryPlan } from '../strategies/recovery.js';
import { isAlive } from '../model/service.js';
import { reasonOf } from '../run/abort-reason.js';
import { observe } from './observe.js';
import { readinessTimeout } from './readiness.js';
import type { Session } from './session.js';

const POLL_MS = 250;

/**
 * The end of a job is its verification. One that a killed run had started may have ended since, or runs on: ending it in
 * the middle of its work, or running it once more, would be worse than waiting for it.
 * @returns services whose new release has ended with exit code 0
 */
export async function jobsEnded(
  session: Session,
  { services }: RecoveryPlan,
  deadline: AbortSignal,
): Promise<ReadonlySet<string>> {
  const ended = new Set<string>();
  for (const [service, recovery] of Object.entries(services)) {
    const wanted =
      recovery.kind === 'leave'
        ? recovery.release
        : recovery.kind === 'go-back' && !recovery.bad
          ? recovery.failed
          : undefined;
    if (wanted !== undefined && (await endsWell(session, service, wanted, deadline))) ended.add(service);
  }
  return ended;
}

async function endsWell(session: Session, service: string, release: string, deadline: AbortSignal): Promise<boolean> {
  const lifetime = lifetimeOf(session.opened.live, service);
  if (lifetime === 'stays') return false;
  const endsAt = session.clock.monotonic() + readinessTimeout(undefined, session.request.readinessTimeoutMs);
  for (;;) {
    const { containers, release: there } = await observe(session.engine, session, session.project, service);
    if (there?.id !== release) return false;
    // One that nobody waits for may be a worker, which never ends.
    const waits = lifetime === 'ends' && containers.some(isAlive) && session.clock.monotonic() < endsAt;
    if (!waits) return allSucceeded(lifetime, containers);
    session.progress.debug(`${service}: its job still runs`);
    if (deadline.aborted) throw reasonOf(deadline);
    await session.clock.sleep(POLL_MS, deadline);
  }
}
