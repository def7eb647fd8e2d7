import { describe, expect, it } from 'vitest';
import { sloRows } from '../../src/model/slo.js';

describe('sloRows', () => {
  it('has the rows of the runbook’s table, with what was measured', () => {
    const rows = sloRows('config-change', 'roma', {
      downtimeMs: 1_400,
      restartMs: 31_000,
      healthyMs: 900,
      memoryBytes: 212e6,
      log: { errors: 3, lines: 400 },
    });
    expect(rows.map(({ metric, target, actual, met }) => [metric, target, actual, met])).toEqual([
      ['Restart time', '<30 s', '31 s', false],
      ['Downtime (config-change)', '<10 s', '1.4 s', true],
      ['Memory after restart', '<500 MB', '212 MB', true],
      ['Error rate post-restart', '0%', '0.8% (3 of 400 lines)', false],
      ['Health check pass time', '<10 s', '900 ms', true],
    ]);
  });

  it('leaves out what nobody measured, and takes an empty log for no errors', () => {
    const nothing = {
      downtimeMs: undefined,
      restartMs: undefined,
      healthyMs: undefined,
      memoryBytes: undefined,
      log: undefined,
    };
    expect(sloRows('code-update', 'roma', nothing)).toEqual([]);
    const [row] = sloRows('code-update', 'roma', { ...nothing, log: { errors: 0, lines: 0 } });
    expect(row).toMatchObject({ actual: '0% (0 of 0 lines)', met: true });
  });

  it.each([
    ['health-restart', 0, 'none', true],
    ['health-restart', 900, 'none', false],
    ['config-change', 9_999, '<10 s', true],
    ['config-change', 10_000, '<10 s', false],
    ['code-update', 29_000, '<30 s', true],
    ['emergency', 31_000, '~30 s', false],
  ])('holds the downtime of %s (%i ms) against what the runbook promises', (procedure, downtimeMs, target, met) => {
    const nothing = { restartMs: undefined, healthyMs: undefined, memoryBytes: undefined, log: undefined };
    expect(sloRows(procedure, 'roma', { ...nothing, downtimeMs })).toMatchObject([{ target, met }]);
  });

  it('promises nothing for a maintenance window', () => {
    const nothing = { restartMs: undefined, healthyMs: undefined, memoryBytes: undefined, log: undefined };
    expect(sloRows('maintenance', 'roma', { ...nothing, downtimeMs: 4_000 })).toEqual([]);
  });
});
