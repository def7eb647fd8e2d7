import { describe, expect, it } from 'vitest';
import { sloRows } from '../../src/model/slo.js';

describe('sloRows', () => {
  it('has the rows of the runbook’s table, with what was measured', () => {
    const rows = sloRows('roma', {
      restartMs: 31_000,
      healthyMs: 900,
      memoryBytes: 212e6,
      log: { errors: 3, lines: 400 },
    });
    expect(rows.map(({ metric, target, actual, met }) => [metric, target, actual, met])).toEqual([
      ['Restart time', '<30 s', '31 s', false],
      ['Memory after restart', '<500 MB', '212 MB', true],
      ['Error rate post-restart', '0%', '0.8% (3 of 400 lines)', false],
      ['Health check pass time', '<10 s', '900 ms', true],
    ]);
  });

  it('leaves out what nobody measured, and takes an empty log for no errors', () => {
    const nothing = { restartMs: undefined, healthyMs: undefined, memoryBytes: undefined, log: undefined };
    expect(sloRows('roma', nothing)).toEqual([]);
    const [row] = sloRows('roma', { ...nothing, log: { errors: 0, lines: 0 } });
    expect(row).toMatchObject({ actual: '0% (0 of 0 lines)', met: true });
  });
});
