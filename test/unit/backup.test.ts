import { describe, expect, it } from 'vitest';
import { backupsToDelete, expectedSize, type BackupManifest } from '../../src/model/backup.js';
import { compensationOf, type Operation } from '../../src/operations/operation.js';
import type { DataReturn } from '../../src/operations/restore-data.js';
import type { JournalRecord } from '../../src/operations/journal.js';
import { planRecovery } from '../../src/strategies/recovery.js';
import { dataFirst, withData } from '../../src/strategies/with-data.js';

const DAY = 86_400_000;
const NOW = Date.parse('2026-11-24T03:00:00Z');
const aged = (...days: readonly number[]) =>
  days.map((age) => ({ id: `${age} days`, at: new Date(NOW - age * DAY).toISOString() }));
const deleted = (
  backups: ReturnType<typeof aged>,
  policy: { readonly keep: number; readonly maxAgeMs?: number; readonly spared?: readonly string[] },
): readonly string[] => backupsToDelete(backups, { maxAgeMs: undefined, ...policy, nowMs: NOW }).map(({ id }) => id);

describe('backupsToDelete', () => {
  it.each([
    ['more than are kept', aged(0, 1, 2, 3), { keep: 2 }, ['2 days', '3 days']],
    ['older than they may be', aged(0, 1, 9), { keep: 7, maxAgeMs: 5 * DAY }, ['9 days']],
    ['never the newest, however old', aged(90, 91), { keep: 1, maxAgeMs: DAY }, ['91 days']],
    ['never the only one', aged(90), { keep: 1, maxAgeMs: DAY }, []],
    ['never what is being restored', aged(0, 1, 2), { keep: 1, spared: ['2 days'] }, ['1 days']],
  ] as const)('%s', (_, backups, policy, expected) => {
    expect(deleted([...backups], policy)).toEqual(expected);
  });
});

describe('expectedSize', () => {
  const last = { entries: [{ sizeBytes: 100, tarBytes: 400 }] } as unknown as BackupManifest;

  it('is the size of the data without an earlier backup, and in its proportion with one', () => {
    expect(expectedSize(1_000, undefined)).toBe(1_000);
    expect(expectedSize(undefined, undefined)).toBeUndefined();
    expect(expectedSize(1_000, last)).toBe(313);
    expect(expectedSize(undefined, last)).toBe(125);
  });
});

const SERVICE = 'db';
const FREEZE = {
  service: SERVICE,
  how: 'stop',
  containers: ['c1'],
  quiesceCommand: undefined,
  resumeCommand: undefined,
} as const;
const RESTORE: DataReturn & { readonly safety: { readonly backup: string; readonly folder: string } } = {
  service: SERVICE,
  backup: 'old',
  folder: '/b/old',
  places: [{ name: 'data', kind: 'volume', source: 'p_data', target: '/data' }],
  tool: 'sha256:x',
  safety: { backup: 'safe', folder: '/b/safe' },
};
const BACK: Operation = {
  kind: 'restore-data',
  service: SERVICE,
  backup: 'safe',
  folder: '/b/safe',
  places: RESTORE.places,
  tool: RESTORE.tool,
  safety: undefined,
};
const freeze: Operation = { kind: 'freeze-data', ...FREEZE };
const thaw: Operation = { kind: 'thaw-data', ...FREEZE };
const restore: Operation = { kind: 'restore-data', ...RESTORE };
const verify: Operation = { kind: 'verify', service: SERVICE, release: undefined, checks: [] };
const replace: Operation = {
  kind: 'replace-containers',
  service: SERVICE,
  to: 'A',
  from: 'B',
  replicas: 1,
  force: true,
};

/** The last one had begun when the run was killed; all before it were done. */
function killedIn(...operations: readonly Operation[]): JournalRecord {
  return {
    opening: { procedure: 'restore', invocation: { actor: 'a' } },
    outcome: undefined,
    entries: operations.map((operation, index) => ({
      sequence: index + 1,
      operation,
      result: index === operations.length - 1 ? 'begun' : 'done',
    })),
  } as unknown as JournalRecord;
}

describe('a run that is killed', () => {
  it.each<[string, readonly Operation[], string, readonly Operation[]]>([
    ['while the data stands still', [freeze], 'thaw', []],
    ['as it is let go on', [freeze, thaw], 'thaw', []],
    ['after it was let go on', [freeze, thaw, verify], 'none', []],
    ['while the data is replaced', [freeze, restore], 'thaw', [BACK]],
    ['before the restored data was verified', [freeze, restore, thaw, verify], 'thaw', [BACK]],
    ['after that', [freeze, restore, thaw, verify, { ...verify, kind: 'watch', durationMs: 1 }], 'none', []],
    ['while the data of before is put back', [freeze, restore, freeze, BACK], 'thaw', [BACK]],
    ['after the data of before was put back', [freeze, restore, freeze, BACK, thaw], 'thaw', []],
    ['rolling back, with the data replaced', [freeze, restore, replace], 'go-back', [BACK]],
    ['rolling back, verified', [freeze, restore, replace, { ...verify, release: 'A' }, verify], 'accept', []],
  ])('%s', (_, operations, kind, data) => {
    const plan = planRecovery(killedIn(...operations));
    expect(plan.services[SERVICE]?.kind).toBe(kind);
    expect(plan.data).toEqual(data);
  });
});

describe('data in a plan', () => {
  const evidence: Operation = { kind: 'capture-evidence', service: SERVICE, moment: 'before' };

  it('is backed up after the evidence, and replaced before anything new starts', () => {
    const plan = withData([evidence, replace, verify], { first: [freeze, thaw], swap: [restore], notes: [] });
    expect(plan).toEqual([evidence, freeze, thaw, restore, replace, verify]);
    expect(withData([replace], undefined)).toEqual([replace]);
  });

  it('is put back before the way back begins, with nothing running', () => {
    expect(dataFirst([replace], RESTORE, FREEZE)).toEqual([freeze, BACK, replace]);
    expect(compensationOf(restore)).toEqual({ kind: 'operation', operation: BACK });
  });
});
