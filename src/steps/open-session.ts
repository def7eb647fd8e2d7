import { ProcedureError } from '../model/errors.js';
import type { Operation } from '../operations/operation.js';
import type { EventFeed } from '../run/events.js';
import { Executor, type JournalPlace } from '../run/executor.js';
import type { LockedRun } from '../run/run.js';
import type { ChangeMeter } from './live-state.js';
import { makesContainers } from '../strategies/makings.js';
import { performersFor } from './performers.js';
import type { Session, Viewing } from './session.js';
import type { TrafficProof } from './traffic-proof.js';

/**
 * @param proof is told of each operation before it; undefined: nobody looks at requests
 * @param meter is told of each operation before it: one for a run and what it recovers
 * @param journalled where its operations are written down: in this run's own journal, or after those of the run that is
 * being recovered, so that a recovery that is killed is seen as part of that run
 */
export function openSession(
  locked: LockedRun,
  view: Viewing,
  events: EventFeed,
  proof: TrafficProof | undefined,
  meter: ChangeMeter,
  journalled?: JournalPlace,
): Session {
  const executor = new Executor(
    locked,
    performersFor(() => session),
    journalled,
  );
  const session: Session = {
    ...view,
    ...locked,
    events,
    proof,
    execute: async (operation, signal) => {
      // What recovers a killed run goes back to what its own plan kept.
      if (journalled === undefined) requireAsked(view, operation);
      await proof?.beforeChange(operation, signal);
      await meter.beforeEffect(session, operation);
      await executor.execute(operation, signal);
    },
    begun: executor.begun,
    candidates: new Map(),
    builds: new Map(),
    lookers: new Map(),
    unacceptedTags: new Set(),
    deployed: locked.recorder.deployed,
    savings: new Map(),
    saved: [],
    frozenAt: new Map(),
    startCommit: view.opened.checkout?.commit,
    liveCommit: { value: view.opened.checkout?.commit },
  };
  return session;
}

/** Who plans a change and forgets to ask what it would lose finds out at once, and loses nothing. */
function requireAsked({ kept }: Viewing, operation: Operation): void {
  if (!makesContainers(operation) || !('service' in operation) || kept.has(operation.service)) return;
  throw new ProcedureError('E_INTERNAL', `${operation.kind} of ${operation.service} was planned without requireKept`, {
    next: 'Please report this with the log of the run.',
  });
}
