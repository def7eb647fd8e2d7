import type { Operation } from '../operations/operation.js';
import { costOf } from './cost.js';
import {
  begin,
  beginTakeover,
  end,
  endTakeover,
  ids,
  retireOld,
  settle,
  startCandidates,
  verifyCandidates,
  verifySwitched,
  watchAndAccept,
} from './phases.js';
import type { Change, Strategy } from './strategy.js';

/**
 * A whole new set beside the old one, verified before it gets a request; one switch for all; the old set stays warm
 * through the whole watch, so that switching back takes a moment; only then is it removed.
 */
export const blueGreen: Strategy = {
  name: 'blue-green',

  plan(change: Change) {
    const old = ids(change.observed);
    const operations: Operation[] = [
      ...begin(change),
      ...beginTakeover(change),
      ...startCandidates(change, change.replicas),
      verifyCandidates(change),
      switchOver(change),
      ...(change.traffic.takeover === undefined ? keepWarm(change, old) : takeOver(change, old)),
      ...settle(change),
      ...end(change),
    ];
    return { operations, ...costOf(change, notes(change)) };
  },
};

function switchOver({ service, traffic, observed }: Change): Operation {
  const serve = { who: 'new', old: ids(observed), percent: 100 } as const;
  return { kind: 'shift-traffic', service, router: traffic.router, serve };
}

function keepWarm(change: Change, old: readonly string[]): readonly Operation[] {
  return [verifySwitched(change, old), ...watchAndAccept(change, old), ...retireOld(change, old)];
}

/** The old container has the port that the edge is to open: it cannot stay warm this once. */
function takeOver(change: Change, old: readonly string[]): readonly Operation[] {
  return [...retireOld(change, old), ...endTakeover(change), verifySwitched(change, []), ...watchAndAccept(change, [])];
}

function notes({ traffic, replicas }: Change): readonly string[] {
  if (traffic.takeover !== undefined) {
    return [
      'blue-green: the new containers are verified before the switch. This once the old ones cannot stay warm, since the edge needs their port: going back within the watch starts the release before again, beside the new one.',
    ];
  }
  const memory = replicas === 1 ? 'the service runs twice' : `${2 * replicas} containers run`;
  return [
    `blue-green: until the end of the watch ${memory}; the old set stays warm, and switching back takes a moment.`,
  ];
}
