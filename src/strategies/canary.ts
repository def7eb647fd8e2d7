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
 * A whole new set beside the old one; it gets its share of the requests in steps, and at each the router's own figures of
 * new and old are compared. A clear failure goes back to no share at all.
 */
export const canary: Strategy = {
  name: 'canary',

  plan(change: Change) {
    const old = ids(change.observed);
    const { takeover } = change.traffic;
    const operations: Operation[] = [
      ...begin(change),
      ...beginTakeover(change),
      ...startCandidates(change, change.replicas),
      verifyCandidates(change),
      ...change.canary.steps.flatMap((percent) => step(change, old, percent)),
      ...(takeover === undefined
        ? [verifySwitched(change, old), ...watchAndAccept(change, old), ...retireOld(change, old)]
        : [
            ...retireOld(change, old),
            ...endTakeover(change),
            verifySwitched(change, []),
            ...watchAndAccept(change, []),
          ]),
      ...settle(change),
      ...end(change),
    ];
    return { operations, ...costOf(change, notes(change)) };
  },
};

function step({ service, wanted, traffic, canary: policy }: Change, old: readonly string[], percent: number) {
  const { router } = traffic;
  const operations: Operation[] = [{ kind: 'shift-traffic', service, router, serve: { who: 'new', old, percent } }];
  // With all requests at the new ones there is nothing left to compare with: that is what the watch is for.
  if (percent < 100) {
    operations.push({
      kind: 'analyse-canary',
      service,
      router,
      release: wanted,
      old,
      percent,
      durationMs: policy.pauseMs,
    });
  }
  return operations;
}

function notes({ canary: policy }: Change): readonly string[] {
  return [`canary: ${policy.steps.map((step) => `${step} %`).join(', ')} of the requests, compared at each step.`];
}
