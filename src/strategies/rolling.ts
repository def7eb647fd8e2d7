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

/** Docker's default for `deploy.update_config.monitor` (docs.docker.com/reference/compose-file/deploy). */
const DEFAULT_PARALLELISM = 1;

/**
 * Some containers at a time, as `deploy.update_config` says; new ones are ready before old ones leave, unless the file says
 * `order: stop-first`. The first batch is verified before it gets requests.
 */
export const rolling: Strategy = {
  name: 'rolling',

  plan(change: Change) {
    const operations: Operation[] = [...begin(change), ...beginTakeover(change)];
    const batches = batchesOf(change);
    batches.forEach((batch, index) => {
      operations.push(...replaceBatch(change, batch, index));
      if (index < batches.length - 1) operations.push(...pause(change));
    });
    operations.push(
      ...endTakeover(change),
      verifySwitched(change, []),
      ...watchAndAccept(change, []),
      ...settle(change),
      ...end(change),
    );
    return { operations, ...costOf(change, notes(change, batches.length)) };
  },
};

interface Batch {
  readonly start: number;
  readonly leave: readonly string[];
  /** All that have left by the end of this batch. */
  readonly left: readonly string[];
}

/** Old ones beyond the wanted number leave with the last batch, and missing ones start with it. */
function batchesOf({ update, replicas, observed }: Change): readonly Batch[] {
  const old = ids(observed);
  const size = parallelism(update.parallelism, replicas);
  const count = Math.max(1, Math.ceil(replicas / size));
  return Array.from({ length: count }, (_, index) => {
    const last = index === count - 1;
    const [from, to] = [index * size, last ? Infinity : (index + 1) * size];
    return {
      start: Math.min(size, replicas - from),
      leave: old.slice(from, to),
      left: old.slice(0, to),
    };
  });
}

/** 0 means all at once, as in Swarm. */
function parallelism(said: number | undefined, replicas: number): number {
  if (said === undefined) return DEFAULT_PARALLELISM;
  return said === 0 ? Math.max(1, replicas) : said;
}

function replaceBatch(change: Change, batch: Batch, index: number): readonly Operation[] {
  const { service, traffic, update } = change;
  const shift: Operation = {
    kind: 'shift-traffic',
    service,
    router: traffic.router,
    serve: { who: 'all-but', containers: batch.left },
  };
  const start = startCandidates(change, batch.start);
  const proof = index === 0 ? [verifyCandidates(change)] : [];
  if (update.order === 'stop-first' && change.observed.length > batch.leave.length) {
    return [shift, ...retireOld(change, batch.leave), ...start, ...proof, shift];
  }
  return [...start, ...proof, shift, ...retireOld(change, batch.leave)];
}

/** Swarm waits for `monitor` before it calls a batch good, and for `delay` before the next. */
function pause({ service, wanted, update, observed }: Change): readonly Operation[] {
  const durationMs = Math.max(update.delayMs ?? 0, update.monitorMs ?? 0);
  if (durationMs === 0) return [];
  return [{ kind: 'watch', service, release: wanted, durationMs, except: ids(observed), between: true }];
}

function notes(change: Change, batches: number): readonly string[] {
  const { update, replicas } = change;
  const size = parallelism(update.parallelism, replicas);
  const order = update.order === 'stop-first' ? 'the old ones stop first, as the compose file says' : 'new before old';
  return [
    `rolling: ${replicas} containers in ${batches} ${batches === 1 ? 'step' : 'steps'} of at most ${size}, ${order}.`,
  ];
}
