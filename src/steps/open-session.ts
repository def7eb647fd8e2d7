import type { EventFeed } from '../run/events.js';
import { Executor, type JournalPlace } from '../run/executor.js';
import type { LockedRun } from '../run/run.js';
import { performersFor } from './performers.js';
import type { Session, Viewing } from './session.js';

/**
 * @param journalled where its operations are written down: in this run's own journal, or after those of the run that is
 * being recovered, so that a recovery that is killed is seen as part of that run
 */
export function openSession(locked: LockedRun, view: Viewing, events: EventFeed, journalled?: JournalPlace): Session {
  const executor = new Executor(
    locked,
    performersFor(() => session),
    journalled,
  );
  const session: Session = {
    ...view,
    ...locked,
    events,
    execute: (operation, signal) => executor.execute(operation, signal),
    begun: executor.begun,
    candidates: new Map(),
    builds: new Map(),
    expectedHashes: new Map(),
    lookers: new Map(),
    unacceptedTags: new Set(),
    deployed: new Set(),
    startCommit: view.opened.checkout?.commit,
    liveCommit: { value: view.opened.checkout?.commit },
  };
  return session;
}
