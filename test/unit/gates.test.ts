import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBackupStore } from '../../src/backups/store.js';
import { parseGates } from '../../src/model/gates.js';
import { parsePeakHours, peakAt } from '../../src/model/peak-hours.js';
import { backupAgeGate } from '../../src/steps/gates/backup-age.js';
import { createMemoryClock } from '../support/memory/clock.js';

function isPeak(text: string, moment: string): boolean {
  const window = parsePeakHours(text);
  if ('problem' in window) throw new Error(window.problem);
  return peakAt([window], new Date(moment)) !== undefined;
}

describe('peak hours', () => {
  const berlin = 'Mon-Fri 09:00-18:00 Europe/Berlin';
  it.each([
    // Winter: UTC+1. 2026-01-05 is a Monday.
    [berlin, '2026-01-05T07:59:59Z', false],
    [berlin, '2026-01-05T08:00:00Z', true],
    [berlin, '2026-01-05T16:59:59Z', true],
    [berlin, '2026-01-05T17:00:00Z', false],
    // Summer: UTC+2, the same hours on the wall.
    [berlin, '2026-07-06T06:59:00Z', false],
    [berlin, '2026-07-06T07:00:00Z', true],
    [berlin, '2026-07-06T16:00:00Z', false],
    // The weekend, which in Auckland begins while it is Friday in UTC.
    [berlin, '2026-01-10T10:00:00Z', false],
    ['Sat,Sun 00:00-24:00 Pacific/Auckland', '2026-01-09T12:00:00Z', true],
    ['Sat,Sun 00:00-24:00 Pacific/Auckland', '2026-01-11T12:00:00Z', false],
    // Over midnight: Friday's window goes into Saturday, and Sunday's early hours are nobody's.
    ['Mon-Fri 22:00-02:00', '2026-01-10T01:30:00Z', true],
    ['Mon-Fri 22:00-02:00', '2026-01-11T01:30:00Z', false],
    ['Mon-Fri 22:00-02:00', '2026-01-09T22:00:00Z', true],
    // Over the week's end.
    ['Sat-Mon 10:00-11:00', '2026-01-11T10:30:00Z', true],
    ['Sat-Mon 10:00-11:00', '2026-01-06T10:30:00Z', false],
    // The clocks go back on 2026-10-25: 02:30 in Berlin is twice, and both are in it.
    ['daily 02:00-03:00 Europe/Berlin', '2026-10-25T00:30:00Z', true],
    ['daily 02:00-03:00 Europe/Berlin', '2026-10-25T01:30:00Z', true],
    ['daily 02:00-03:00 Europe/Berlin', '2026-10-25T02:30:00Z', false],
    // They go forward on 2026-03-29: 02:30 is never, and 03:30 is not in it.
    ['daily 02:00-03:00 Europe/Berlin', '2026-03-29T01:30:00Z', false],
  ])('%s at %s: %s', (text, moment, expected) => {
    expect(isPeak(text, moment)).toBe(expected);
  });

  it.each([
    ['Mon-Fri', 'is not of the form'],
    ['Mon-Foo 09:00-18:00', 'names no days'],
    ['Mon 09:00-25:00', 'no times of a day'],
    ['Mon 09:00-09:00', 'begins and ends'],
    ['Mon 09:00-18:00 Europe/Atlantis', 'no time zone'],
  ])('refuses %s', (text, problem) => {
    expect(parsePeakHours(text)).toMatchObject({ problem: expect.stringContaining(problem) as string });
  });
});

describe('the input gates', () => {
  it('sets each gate once', () => {
    expect(parseGates(['peak-hours=warn', 'disk-space = off'])).toEqual({
      settings: { 'peak-hours': 'warn', 'disk-space': 'off' },
      problems: [],
    });
    const { problems } = parseGates(['bad-release=off', 'ports=maybe', 'ports', 'health=warn', 'health=off']);
    expect(problems).toHaveLength(4);
    expect(problems[0]).toContain('there is no gate "bad-release"');
    expect(problems[3]).toContain('twice');
  });
});

describe('the age of the last backup', () => {
  const NOW = Date.parse('2026-11-24T12:00:00Z');
  const store = createBackupStore();
  let folder = '';

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rr-backups-'));
    for (const at of ['2026-11-20T03:00:00.000Z', '2026-11-23T12:00:00.000Z']) {
      const id = `${at.replaceAll(/[-:]|\.\d+/g, '')}-abcdef`;
      const writer = await store.begin(store.folderOf(folder, 'roma', 'db', id));
      const by = { procedure: 'backup', run: '1', by: 'tester at shell', host: 'h' };
      const what = { id, project: 'roma', service: 'db', release: undefined, at, frozenMs: 1 };
      const about = { reason: 'asked', consistency: 'pause', schema: 'rolling-restart/backup/v1' } as const;
      await writer.keep({ ...about, ...what, ...by }, new AbortController().signal);
    }
  });

  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  const ask = (service: string, requireBackupMs: number | undefined, backupBefore = false) =>
    backupAgeGate(
      {
        backups: store,
        clock: createMemoryClock({ startsAt: NOW }),
        project: 'roma',
        request: { backupDir: folder, requireBackupMs, backupBefore },
      },
      service,
    );

  it('counts the newest one', async () => {
    expect(await ask('db', 24 * 3_600_000)).toEqual({ kind: 'pass', detail: 'db: the last backup is 24 h old' });
    expect(await ask('db', 23 * 3_600_000)).toMatchObject({
      kind: 'refuse',
      error: { code: 'E_GATE', message: 'The last backup of db is 24 h old, and 23 h are asked for' },
    });
  });

  it('refuses without any, unless one is taken first or none is asked for', async () => {
    expect(await ask('web', 1)).toMatchObject({
      kind: 'refuse',
      error: { message: expect.stringContaining('no backup of web') as string },
    });
    expect(await ask('web', 1, true)).toMatchObject({ kind: 'pass' });
    expect(await ask('web', undefined)).toMatchObject({ kind: 'pass' });
  });
});
