import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../src/model/errors.js';
import { traitsOf, type Operation } from '../../src/operations/operation.js';
import type { JournalRecord } from '../../src/operations/journal.js';
import { planRecovery } from '../../src/strategies/recovery.js';

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

const halt: Operation = { kind: 'record-stop', service: 'roma', release: 'A', reason: 'a' };
const go: Operation = { kind: 'record-start', service: 'roma', release: 'A' };
const stop: Operation = { kind: 'stop-containers', service: 'roma', containers: ['c'] };
const run: Operation = { kind: 'start-containers', service: 'roma', containers: ['c'] };
const stopped: Operation = { kind: 'verify', service: 'roma', release: 'A', checks: ['stopped'] };

type Step = Operation | readonly [Operation, 'begun' | 'failed', (ErrorCode | undefined)?];

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
      const [operation, result, error] = 'kind' in step ? ([step, 'done', undefined] as const) : step;
      return { sequence: index + 1, operation, result, ...(error === undefined ? {} : { error }) };
    }),
    outcome: undefined,
  };
}

/** The plan, which is the same when ends that decide nothing had not been written yet. */
function planned(...[record, down]: Parameters<typeof planRecovery>): ReturnType<typeof planRecovery> {
  const plan = planRecovery(record, down);
  const entries = record.entries.map((entry) =>
    entry.result === 'done' && !traitsOf(entry.operation).endMatters ? { ...entry, result: 'begun' as const } : entry,
  );
  expect(planRecovery({ ...record, entries }, down)).toEqual(plan);
  return plan;
}

describe('planRecovery', () => {
  it.each([
    ['before anything was touched', [], {}],
    ['while it was being stopped on purpose', [halt, [stop, 'begun']], { roma: { kind: 'stop', release: 'A' } }],
    ['stopped on purpose', [halt, stop, stopped], { roma: { kind: 'none' } }],
    ['started again and not verified', [go, [run, 'begun']], { roma: { kind: 'restore', release: 'A' } }],
    ['started again and verified', [go, run, { ...verify, release: 'A' }], { roma: { kind: 'none' } }],
    ['started again, wrong, and being stopped', [go, run, halt], { roma: { kind: 'stop', release: 'A' } }],
    [
      'a release deployed over a stop, and not verified',
      [go, replace],
      { roma: { kind: 'go-back', back: 'A', failed: 'B', bad: false, way: 'compose', before: [] } },
    ],
    ['after the tag moved', [move, tag], { roma: { kind: 'none' } }],
    [
      'while containers were replaced',
      [move, tag, [replace, 'begun']],
      { roma: { kind: 'go-back', back: 'A', failed: 'B', bad: false, way: 'compose', before: [] } },
    ],
    [
      'replaced and not verified',
      [move, tag, replace],
      { roma: { kind: 'go-back', back: 'A', failed: 'B', bad: false, way: 'compose', before: [] } },
    ],
    [
      'while verifying',
      [move, tag, replace, [verify, 'begun']],
      { roma: { kind: 'go-back', back: 'A', failed: 'B', bad: false, way: 'compose', before: [] } },
    ],
    [
      'verified, in the watch',
      [move, tag, replace, verify, [watch, 'begun']],
      { roma: { kind: 'accept', release: 'B' } },
    ],
    ['accepted', [move, tag, replace, verify, watch, accept], { roma: { kind: 'none' } }],
    [
      'about to go back',
      [move, tag, replace, [verify, 'failed']],
      { roma: { kind: 'go-back', back: 'A', failed: 'B', bad: true, way: 'compose', before: [] } },
    ],
    [
      'while going back',
      [move, tag, replace, [verify, 'failed'], [back, 'begun']],
      { roma: { kind: 'go-back', back: 'A', failed: 'B', bad: true, way: 'compose', before: [] } },
    ],
    ['a first deploy, unverified', [tag, { ...replace, from: undefined }], { roma: { kind: 'leave', release: 'B' } }],
  ] as const)('killed %s', (_when, steps, services) => {
    expect(planned(journal(...(steps as readonly Step[]))).services).toEqual(services);
  });

  it('gives a name back that was moved for a release which does not stay', () => {
    const given = [{ ...tag, to: 'old-image', from: 'new-image' }];
    expect(planned(journal(move, tag)).tags).toEqual(given);
    // The release of before may have another name: its own way back does not touch this one.
    expect(planned(journal(move, tag, replace)).tags).toEqual(given);
    expect(planned(journal(move, tag, replace, verify)).tags).toEqual([]);
  });

  it('moves the checkout back unless a service stays on the new commit', () => {
    expect(planned(journal(move, tag)).checkout).toEqual({ ...move, from: 'new-commit', to: 'old-commit' });
    expect(planned(journal(move, tag, replace, verify)).checkout).toBeUndefined();
    const other: Operation = { ...replace, service: 'worker' };
    const afterFirst = journal(move, tag, replace, verify, watch, accept, [other, 'begun']);
    expect(planned(afterFirst).checkout).toBeUndefined();
    expect(planned(afterFirst).services['worker']).toEqual({
      kind: 'go-back',
      back: 'A',
      failed: 'B',
      bad: false,
      way: 'compose',
      before: [],
    });
  });

  it('starts a service again whose restart was cut short', () => {
    const kill: Operation = { kind: 'kill-containers', service: 'roma', containers: ['c'], release: 'A' };
    const remove: Operation = { kind: 'remove-containers', service: 'roma', containers: ['c'], release: 'A' };
    const start: Operation = { ...replace, to: 'A', from: 'A' };
    expect(planned(journal(kill, [remove, 'begun'])).services['roma']).toEqual({ kind: 'restore', release: 'A' });
    expect(planned(journal(kill, remove, start)).services['roma']).toEqual({ kind: 'restore', release: 'A' });
    const verified: Operation = { kind: 'verify', service: 'roma', release: 'A', checks: ['state'] };
    expect(planned(journal(kill, remove, start, verified)).services['roma']).toEqual({ kind: 'none' });
    // A recovery creates the containers of the live release again; a recovery that fails there is tried again.
    const held: Operation = { kind: 'hold-traffic', service: 'roma', router: { kind: 'edge' }, maxMs: 1, maxQueue: 1 };
    const again: readonly Step[] = [held, stop, [start, 'failed']];
    expect(planned(journal(...again)).services['roma']).toEqual({ kind: 'restore', release: 'A' });
    expect(planned(journal(...again, start, verified)).services['roma']).toEqual({ kind: 'none' });
  });

  it('goes back from what was verified and does not run well any more', () => {
    const killed = journal(move, tag, replace, verify, [watch, 'begun']);
    const plan = planned(killed, new Set(['roma']));
    expect(plan.services).toEqual({
      roma: { kind: 'go-back', back: 'A', failed: 'B', bad: false, way: 'compose', before: [] },
    });
    expect(plan.checkout).toEqual({ ...move, from: 'new-commit', to: 'old-commit' });
  });

  describe('of a recovery that was killed itself, since it continues the journal', () => {
    const moveBack: Operation = { ...move, from: 'new-commit', to: 'old-commit' };

    it('goes the same way on', () => {
      const killed = journal(move, tag, [replace, 'begun'], moveBack, [back, 'begun']);
      expect(planned(killed).services).toEqual({
        roma: { kind: 'go-back', back: 'A', failed: 'B', bad: false, way: 'compose', before: [] },
      });
      expect(planned(killed).checkout).toBeUndefined();
    });

    it('moves the checkout again when it may not have got there', () => {
      expect(planned(journal(move, tag, replace, [moveBack, 'begun'])).checkout).toMatchObject({
        to: 'old-commit',
      });
    });

    it('has nothing to do when it had come to its end', () => {
      const verifiedA: Operation = { ...verify, release: 'A' };
      const acceptA: Operation = { ...accept, release: 'A' };
      const plan = planned(journal(move, tag, [replace, 'begun'], moveBack, tag, back, verifiedA, acceptA));
      expect(plan).toMatchObject({ services: { roma: { kind: 'none' } }, tags: [], left: [] });
    });
  });

  describe('marks what was gone back from', () => {
    const verifiedA: Operation = { ...verify, release: 'A' };
    const acceptA: Operation = { ...accept, release: 'A' };
    const reject: Operation = { kind: 'reject-release', service: 'roma', release: 'B', reason: 'r' };
    const byRollback = (...steps: readonly Step[]): JournalRecord => {
      const record = journal(...steps);
      return { ...record, opening: { ...record.opening, procedure: 'rollback' } };
    };

    it.each([
      ['a rollback, in its watch', byRollback(tag, back, verifiedA, [watch, 'begun']), ['B']],
      ['a rollback, accepted', byRollback(tag, back, verifiedA, acceptA), ['B']],
      ['a rollback, marked', byRollback(tag, back, verifiedA, acceptA, reject), []],
      ['a rollback, not verified', byRollback(tag, back), []],
      ['an update that went back', journal(tag, replace, [verify, 'failed'], back, verifiedA, acceptA), ['B']],
      ['an update that was cancelled', journal(tag, replace, back, verifiedA, acceptA), []],
      ['an update', journal(tag, replace, verify, watch, accept), []],
    ] as const)('%s', (_what, record, releases) => {
      expect(planned(record).left.map(({ release }) => release)).toEqual(releases);
    });
  });
});

describe('planRecovery of a change that starts new containers beside the old', () => {
  const router = { kind: 'edge' } as const;
  const start: Operation = {
    kind: 'start-beside',
    service: 'roma',
    to: 'B',
    from: 'A',
    count: 1,
    beside: ['a1'],
    published: false,
    named: false,
  };
  const ready: Operation = { kind: 'await-ready', service: 'roma', release: 'B', timeoutMs: 1, except: ['a1'] };
  const candidate: Operation = { ...verify, kind: 'verify', candidate: true };
  const shift: Operation = {
    kind: 'shift-traffic',
    service: 'roma',
    router,
    serve: { who: 'new', old: ['a1'], percent: 100 },
  };
  const shiftBack: Operation = {
    ...shift,
    kind: 'shift-traffic',
    serve: { who: 'only', containers: ['a1'] },
  };
  const retire: Operation = {
    kind: 'retire-containers',
    service: 'roma',
    containers: { are: 'these', containers: ['a1'] },
  };
  const acceptBack: Operation = { ...accept, kind: 'accept-release', release: 'A' };
  const stop: Operation = { kind: 'stop-containers', service: 'roma', containers: ['a1'] };
  const hold: Operation = { kind: 'hold-traffic', service: 'roma', router, maxMs: 1, maxQueue: 1 };
  const repair: Operation = { kind: 'repair-edge', service: 'roma', ports: ['80'], timeoutMs: 1 };
  const spec = { project: 'p', service: 'roma', image: 'haproxy', ports: [], networks: [] };
  const install: Operation = { kind: 'install-edge', service: 'roma', edge: spec, containers: ['a1'] };
  const redirect: Operation = { kind: 'redirect-ports', service: 'roma', ports: ['80'] };
  const back = { kind: 'go-back', back: 'A', failed: 'B', bad: false, way: 'beside', before: ['a1'] } as const;

  it.each([
    ['while they start', [tag, [start, 'begun']], back],
    ['proven and not switched to', [tag, start, ready, candidate], back],
    ['switched to and not verified', [tag, start, ready, candidate, shift], back],
    [
      'found wrong in the watch',
      [tag, start, ready, candidate, shift, verify, [watch, 'failed']],
      { ...back, bad: true },
    ],
    ['going back, which needs nothing started', [tag, start, ready, candidate, shift, verify, shiftBack], back],
    [
      'verified and watched',
      [tag, start, ready, candidate, shift, verify, [watch, 'begun']],
      { kind: 'finish', release: 'B', accepted: false, old: ['a1'] },
    ],
    [
      'accepted while the old ones go',
      [tag, start, ready, candidate, shift, verify, watch, accept, [retire, 'begun']],
      { kind: 'finish', release: 'B', accepted: true, old: ['a1'] },
    ],
    [
      'back already',
      [tag, start, ready, candidate, shift, verify, [watch, 'failed'], shiftBack, retire, acceptBack],
      { kind: 'none' },
    ],
    ['held, before the old one stopped', [tag, hold], { kind: 'resume', stopped: [], router, redirected: [] }],
    ['held, the old one stopped', [tag, hold, stop], { kind: 'resume', stopped: ['a1'], router, redirected: [] }],
    ['held, the new one not ready', [tag, hold, stop, start], { ...back, way: 'hold' }],
    ['with an edge that was repaired', [tag, repair], { kind: 'resume', stopped: [], router, redirected: [] }],
    [
      'restarted in place behind an edge that was repaired',
      [repair, { kind: 'restart-containers', service: 'roma', containers: ['a1'], release: 'A' }],
      { kind: 'restore', release: 'A' },
    ],
    [
      'started behind an edge that was repaired',
      [
        { kind: 'record-start', service: 'roma', release: 'A' },
        repair,
        [{ kind: 'start-containers', service: 'roma', containers: ['a1'] }, 'begun'],
      ],
      { kind: 'restore', release: 'A' },
    ],
    [
      'redirected for an edge that takes the port over',
      [tag, install, redirect],
      { kind: 'resume', stopped: [], router, redirected: ['80'] },
    ],
    ['stopped behind the edge', [tag, stop, start], { ...back, way: 'stop-first' }],
    ['a first deploy of it', [[{ ...start, from: undefined }, 'begun']], { kind: 'leave', release: 'B' }],
  ] as const)('killed %s', (_when, steps, expected) => {
    expect(planned(journal(...(steps as readonly Step[]))).services['roma']).toEqual(expected);
  });

  it('marks what was found wrong, and never what came back', () => {
    const undone = journal(start, ready, candidate, shift, verify, [watch, 'failed'], shiftBack, retire, acceptBack);
    expect(planned(undone).left).toMatchObject([{ kind: 'reject-release', release: 'B' }]);
    const cancelled = journal(start, ready, candidate, shift, shiftBack, retire, acceptBack);
    expect(planned(cancelled).left).toEqual([]);
  });

  it('goes back from a set that was verified and is down now', () => {
    const killed = journal(tag, start, ready, candidate, shift, verify, [watch, 'begun']);
    expect(planned(killed, new Set(['roma'])).services['roma']).toEqual(back);
  });
});

describe('planRecovery of a run whose undo failed', () => {
  const tagBack: Operation = { ...tag, to: 'old-image', from: 'new-image' };
  const moveBack: Operation = { ...move, from: 'new-commit', to: 'old-commit' };
  const readyA: Operation = { kind: 'await-ready', service: 'roma', release: 'A', timeoutMs: 1 };
  const readyB: Operation = { ...readyA, release: 'B' };
  const verifyA: Operation = { ...verify, release: 'A' };
  const acceptA: Operation = { ...accept, release: 'A' };
  const reject: Operation = { kind: 'reject-release', service: 'roma', release: 'B', reason: 'r' };
  const edge = { kind: 'edge' } as const;
  const start: Operation = {
    kind: 'start-beside',
    service: 'roma',
    to: 'B',
    from: 'A',
    count: 1,
    beside: ['a1'],
    published: false,
    named: false,
  };
  const startA: Operation = { ...start, to: 'A', from: 'B', beside: ['b1'] };
  const shift: Operation = {
    kind: 'shift-traffic',
    service: 'roma',
    router: edge,
    serve: { who: 'new', old: ['a1'], percent: 100 },
  };
  const only: Operation = { ...shift, serve: { who: 'only', containers: ['a1'] } };
  const retireB: Operation = {
    kind: 'retire-containers',
    service: 'roma',
    containers: { are: 'these', containers: ['b1'] },
  };
  const hold: Operation = { kind: 'hold-traffic', service: 'roma', router: edge, maxMs: 1, maxQueue: 1 };
  const stopA: Operation = { kind: 'stop-containers', service: 'roma', containers: ['a1'] };
  const startOld: Operation = { kind: 'start-containers', service: 'roma', containers: ['a1'] };

  const ways = {
    compose: [move, tag, replace],
    beside: [move, tag, start, readyB, shift],
    'stop-first': [move, tag, stopA, start, readyB, shift],
    hold: [move, tag, hold, stopA, start, readyB, shift],
  } as const satisfies Record<string, readonly Operation[]>;

  const undos: Readonly<Record<keyof typeof ways, readonly Operation[]>> = {
    compose: [moveBack, tagBack, back, readyA, verifyA, acceptA],
    beside: [only, moveBack, tagBack, startA, readyA, retireB, verifyA, acceptA],
    'stop-first': [retireB, moveBack, tagBack, startOld, readyA, verifyA, acceptA],
    hold: [hold, retireB, moveBack, tagBack, startOld, readyA, verifyA, acceptA],
  };

  const cases = (Object.keys(ways) as (keyof typeof ways)[]).flatMap((way) =>
    undos[way].map((failing, index) => [way, failing.kind, index] as const),
  );

  it.each(cases)('%s, which failed in %s (operation %i of the undo): the same way back', (way, _kind, index) => {
    const undo = undos[way];
    const failing = undo[index];
    if (failing === undefined) throw new Error('no such operation');
    const record = journal(
      ...ways[way],
      [verify, 'failed', 'E_VERIFICATION'],
      ...undo.slice(0, index),
      [failing, 'failed', 'E_ENGINE'],
      reject,
    );
    const { services, left } = planned(record);
    const before = way === 'compose' ? [] : ['a1'];
    // What came back through Compose and is verified lacks its record alone.
    const proven = way === 'compose' && failing.kind === 'accept-release';
    expect(services).toEqual({
      roma: proven
        ? { kind: 'accept', release: 'A' }
        : { kind: 'go-back', back: 'A', failed: 'B', bad: true, way, before },
    });
    expect(left).toEqual([]);
    // A recovery writes at the end of the same journal: one that fails in turn changes nothing of the plan.
    const again = journal(
      ...ways[way],
      [verify, 'failed', 'E_VERIFICATION'],
      ...undo.slice(0, index),
      [failing, 'failed', 'E_ENGINE'],
      reject,
      ...undo.slice(0, index),
      [failing, 'failed', 'E_ENGINE'],
    );
    expect(planned(again).services).toEqual(services);
  });

  it.each(Object.keys(ways) as (keyof typeof ways)[])('%s, which came to its end the second time: nothing', (way) => {
    const first = undos[way].slice(0, -1);
    const failing = undos[way].at(-1);
    if (failing === undefined) throw new Error('no undo');
    const record = journal(
      ...ways[way],
      [verify, 'failed', 'E_VERIFICATION'],
      ...first,
      [failing, 'failed', 'E_LEDGER'],
      reject,
      ...undos[way],
      reject,
    );
    expect(planned(record)).toMatchObject({ services: { roma: { kind: 'none' } }, left: [] });
  });

  it.each([
    ['what it found wrong', verify, 'E_VERIFICATION', true],
    ['a container that never got ready', readyB, 'E_NOT_READY', true],
    ['a warning sign', watch, 'E_WARNING_SIGN', true],
    ['an engine that did not answer', verify, 'E_ENGINE_UNREACHABLE', false],
    ['a full disk', readyB, 'E_DISK_FULL', false],
    ['an older version, which wrote no code', verify, undefined, true],
  ] as const)('says whether the release is bad: %s', (_what, looking, error, bad) => {
    for (const way of Object.keys(ways) as (keyof typeof ways)[]) {
      const record = journal(...ways[way], [looking, 'failed', error], ...undos[way].slice(0, 2));
      expect(planned(record).services['roma']).toMatchObject({ kind: 'go-back', bad });
    }
  });

  it('does not blame the release for what was found on the way back of a cancelled run', () => {
    for (const way of Object.keys(ways) as (keyof typeof ways)[]) {
      const record = journal(...ways[way], [verify, 'begun'], ...undos[way].slice(0, -2), [
        verifyA,
        'failed',
        'E_VERIFICATION',
      ]);
      expect(planned(record).services['roma']).toMatchObject({ kind: 'go-back', back: 'A', bad: false });
    }
  });
});
