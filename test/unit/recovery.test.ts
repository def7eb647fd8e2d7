import { describe, expect, it } from 'vitest';
import type { Operation } from '../../src/model/operation.js';
import type { JournalRecord } from '../../src/model/ports/ledger.js';
import { planRecovery } from '../../src/model/recovery.js';

const tag: Operation = { kind: 'tag-image', service: 'roma', tag: 'roma:latest', to: 'new-image', from: 'old-image' };
const move: Operation = { kind: 'move-checkout', directory: '/srv/roma', from: 'old-commit', to: 'new-commit' };
const replace: Operation = {
  kind: 'replace-containers',
  service: 'roma',
  to: 'B',
  from: 'A',
  replicas: 1,
  force: true,
};
const back: Operation = { ...replace, to: 'A', from: 'B' };
const verify: Operation = { kind: 'verify', service: 'roma', release: 'B', checks: ['state'] };
const watch: Operation = { kind: 'watch', service: 'roma', release: 'B', durationMs: 1000 };
const accept: Operation = { kind: 'accept-release', service: 'roma', release: 'B' };

type Step = Operation | readonly [Operation, 'begun' | 'failed'];

/** A journal whose operations are done unless said otherwise. */
function journal(...steps: readonly Step[]): JournalRecord {
  return {
    opening: {
      run: 'r1',
      at: '2026-11-24T00:00:00.000Z',
      procedure: 'code-update',
      invocation: {
        runId: 'r1',
        actor: 'a',
        runUrl: undefined,
        sha: undefined,
        ref: undefined,
        attempt: 1,
        host: 'h',
      },
      workingDirectory: '/srv/roma',
      plan: { procedure: 'code-update', preparation: [], services: [] },
    },
    entries: steps.map((step, index) => {
      const [operation, result] = 'kind' in step ? ([step, 'done'] as const) : step;
      return { sequence: index + 1, operation, result };
    }),
    outcome: undefined,
  };
}

describe('planRecovery', () => {
  it.each([
    ['before anything was touched', [], {}],
    ['after the tag moved', [move, tag], { roma: { kind: 'none' } }],
    [
      'while containers were replaced',
      [move, tag, [replace, 'begun']],
      { roma: { kind: 'go-back', back: 'A', failed: 'B' } },
    ],
    ['replaced and not verified', [move, tag, replace], { roma: { kind: 'go-back', back: 'A', failed: 'B' } }],
    ['while verifying', [move, tag, replace, [verify, 'begun']], { roma: { kind: 'go-back', back: 'A', failed: 'B' } }],
    [
      'verified, in the watch',
      [move, tag, replace, verify, [watch, 'begun']],
      { roma: { kind: 'accept', release: 'B' } },
    ],
    ['accepted', [move, tag, replace, verify, watch, accept], { roma: { kind: 'none' } }],
    [
      'while going back',
      [move, tag, replace, [verify, 'failed'], [back, 'begun']],
      { roma: { kind: 'go-back', back: 'A', failed: 'B' } },
    ],
    ['a first deploy, unverified', [tag, { ...replace, from: undefined }], { roma: { kind: 'leave', release: 'B' } }],
  ] as const)('killed %s', (_when, steps, services) => {
    expect(planRecovery(journal(...(steps as readonly Step[]))).services).toEqual(services);
  });

  it('names by the old image what was tagged for containers that were never touched', () => {
    expect(planRecovery(journal(move, tag)).tags).toEqual([{ ...tag, to: 'old-image', from: 'new-image' }]);
    expect(planRecovery(journal(move, tag, replace)).tags).toEqual([]);
  });

  it('moves the checkout back unless a service stays on the new commit', () => {
    expect(planRecovery(journal(move, tag)).checkout).toEqual({ ...move, from: 'new-commit', to: 'old-commit' });
    expect(planRecovery(journal(move, tag, replace, verify)).checkout).toBeUndefined();
    const other: Operation = { ...replace, service: 'worker' };
    const afterFirst = journal(move, tag, replace, verify, watch, accept, [other, 'begun']);
    expect(planRecovery(afterFirst).checkout).toBeUndefined();
    expect(planRecovery(afterFirst).services['worker']).toEqual({ kind: 'go-back', back: 'A', failed: 'B' });
  });

  it('starts a service again whose restart was cut short', () => {
    const kill: Operation = { kind: 'kill-containers', service: 'roma', containers: ['c'], release: 'A' };
    const remove: Operation = { kind: 'remove-containers', service: 'roma', containers: ['c'], release: 'A' };
    const start: Operation = { ...replace, to: 'A', from: 'A' };
    expect(planRecovery(journal(kill, [remove, 'begun'])).services['roma']).toEqual({ kind: 'restore', release: 'A' });
    expect(planRecovery(journal(kill, remove, start)).services['roma']).toEqual({ kind: 'restore', release: 'A' });
    const verified: Operation = { kind: 'verify', service: 'roma', release: 'A', checks: ['state'] };
    expect(planRecovery(journal(kill, remove, start, verified)).services['roma']).toEqual({ kind: 'none' });
  });
});
