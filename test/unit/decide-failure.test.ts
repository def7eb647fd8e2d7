import { describe, expect, it } from 'vitest';
import { decide, outcomeOf, type Answer, type FailedChange } from '../../src/run/decide.js';
import type { OperationKind } from '../../src/operations/operation.js';
import { OPERATION_SAMPLES } from '../support/operation-samples.js';

const begun = (...kinds: readonly OperationKind[]): FailedChange['begun'] =>
  kinds.map((kind) => OPERATION_SAMPLES[kind]);

/** How far a change got: nothing of the service touched, replaced, verified and watched. */
const POINTS = {
  prepared: begun('capture-evidence', 'keep-image', 'move-checkout', 'tag-image'),
  'told the router by address': [{ ...OPERATION_SAMPLES['shift-traffic'], serve: { who: 'only', containers: ['c1'] } }],
  replaced: begun('tag-image', 'replace-containers', 'await-ready'),
  'watched between batches': [...begun('start-beside'), { ...OPERATION_SAMPLES.watch, between: true }],
  watched: begun('replace-containers', 'verify', 'watch'),
  'recorded as to run': begun('record-start'),
} as const satisfies Record<string, FailedChange['begun']>;

type Row = readonly [keyof typeof POINTS, Partial<FailedChange>, Answer, ReturnType<typeof outcomeOf>];

const ROWS: readonly Row[] = [
  ['prepared', {}, 'take-back', 'failed'],
  ['prepared', { cancelled: true }, 'take-back', 'cancelled'],
  ['told the router by address', {}, 'take-back', 'failed'],
  ['replaced', {}, 'undo', 'rolled-back'],
  ['replaced', { cancelled: true }, 'undo', 'cancelled'],
  ['replaced', { autoRollback: false }, 'leave', 'failed'],
  ['replaced', { autoRollback: false, cancelled: true }, 'undo', 'cancelled'],
  ['replaced', { warned: true }, 'leave', 'failed'],
  ['replaced', { before: 'nothing' }, 'leave', 'failed'],
  ['replaced', { before: 'nothing', cancelled: true }, 'leave', 'cancelled'],
  ['watched between batches', { cancelled: true }, 'undo', 'cancelled'],
  ['watched between batches', { warned: true }, 'leave', 'failed'],
  ['watched', {}, 'undo', 'rolled-back'],
  ['watched', { cancelled: true }, 'accept', 'cancelled'],
  ['watched', { warned: true }, 'accept', 'failed'],
  ['watched', { warned: true, autoRollback: false }, 'accept', 'failed'],
  ['watched', { before: 'nothing' }, 'leave', 'failed'],
  ['watched', { before: 'nothing', cancelled: true }, 'accept', 'cancelled'],
  ['recorded as to run', { before: 'stopped' }, 'undo', 'failed'],
  ['recorded as to run', { before: 'stopped', autoRollback: false }, 'leave', 'failed'],
];

describe('what follows from a failure', () => {
  it.each(ROWS)('%s, %j: %s, %s', (point, parts, answer, outcome) => {
    const failed: FailedChange = {
      begun: POINTS[point],
      cancelled: false,
      warned: false,
      before: 'release',
      autoRollback: true,
      ...parts,
    };
    expect(decide(failed)).toBe(answer);
    expect(outcomeOf(answer, failed)).toBe(outcome);
  });
});
