import { expect, it } from 'vitest';
import { newestFirst } from '../../src/model/backup.js';

const backup = (id: string, at?: string) => ({ id, manifest: at === undefined ? undefined : { at } });

it('two of the same second are ordered by their manifests, whatever their ids say', () => {
  const older = backup('20261124T031502Z-ffffff', '2026-11-24T03:15:02.100Z');
  const newer = backup('20261124T031502Z-000000', '2026-11-24T03:15:02.900Z');
  expect([older, newer].sort(newestFirst)).toEqual([newer, older]);
  expect([newer, older].sort(newestFirst)).toEqual([newer, older]);
});

it('where a manifest is what is broken, the second of the id decides, and two of one second are in no order', () => {
  const whole = backup('20261124T031502Z-3f9a1c', '2026-11-24T03:15:02.500Z');
  expect(newestFirst(backup('20261124T031503Z-000000'), whole)).toBeLessThan(0);
  expect(newestFirst(backup('20261124T031501Z-ffffff'), whole)).toBeGreaterThan(0);
  expect(newestFirst(backup('20261124T031502Z-ffffff'), whole)).toBe(0);
  expect(newestFirst(whole, backup('20261124T031502Z-ffffff'))).toBe(0);
});
