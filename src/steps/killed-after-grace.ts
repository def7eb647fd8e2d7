import type { Session } from './session.js';
import { raise, type SignSource } from './signs.js';

/** Docker tells of a container's end on another connection than the one that answers the stop. */
const TOLD_WITHIN_MS = 1_000;
/** 128 + SIGKILL. */
const KILLED = 137;

/**
 * Says that containers had to be killed after their grace time: they lost what they were doing. It is only told, whatever
 * `on-warning` says: by then they have ended, and neither a failure nor a rollback would undo that.
 * @param containers ids of those that were stopped
 * @param from how many events of the run had been seen before they were; later ones count
 * @param ended whether all of them have ended, so that an event of each may be waited for
 */
export async function noteKilled(
  session: Session,
  signs: SignSource,
  service: string,
  {
    containers,
    from,
    ended,
  }: { readonly containers: readonly string[]; readonly from: number; readonly ended: boolean },
): Promise<void> {
  const { events } = session;
  const diedSince = (id: string): boolean =>
    events.seen.slice(from).some((event) => event.action === 'die' && event.id === id);
  if (ended) {
    const over = session.clock.deadline(TOLD_WITHIN_MS);
    while (!over.aborted && !containers.every(diedSince)) {
      await events.next(({ action }) => action === 'die', TOLD_WITHIN_MS, over);
    }
  }
  const since = events.seen.slice(from);
  const killed = containers.filter(
    (id) =>
      since.some((event) => event.action === 'die' && event.id === id && event.exitCode === KILLED) &&
      !since.some((event) => event.action === 'oom' && event.id === id),
  );
  if (killed.length === 0) return;
  const who = killed.length === 1 ? 'a container' : `${killed.length} containers`;
  raise(session, signs, {
    sign: 'killed-after-grace',
    severity: 'low',
    service,
    message: `${who} did not stop within the grace time and ${killed.length === 1 ? 'was' : 'were'} killed; handle SIGTERM or raise stop_grace_period`,
  });
}
