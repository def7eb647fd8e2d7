import { describe, expect, it } from 'vitest';
import { memoryBaseline } from '../../src/model/memory-baseline.js';
import type { SloRecord } from '../../src/model/slo-record.js';

const record = (memoryBytes: number | undefined, outcome: SloRecord['outcome'] = 'deployed'): SloRecord => ({
  at: '2026-11-24T00:00:00.000Z',
  run: 'r',
  by: 'octocat',
  procedure: 'code-update',
  service: 'roma',
  outcome,
  release: 'a',
  timeMs: 1,
  targetTimeMs: undefined,
  downtimeMs: undefined,
  targetDowntimeMs: undefined,
  restartMs: undefined,
  healthyMs: undefined,
  memoryBytes,
  errorLines: undefined,
  logLines: undefined,
});

describe('the baseline of memory after a restart', () => {
  it('is the runbook’s until three green runs have measured it', () => {
    const few = [record(30e6), record(40e6), record(undefined), record(900e6, 'rolled-back')];
    expect(memoryBaseline(few)).toEqual({ mostBytes: 500e6, words: expect.stringContaining('runbook') as string });
    expect(memoryBaseline([...few, record(50e6)])).toEqual({
      mostBytes: 60e6,
      words: expect.stringMatching(/^40 ?MB, the median of 3 runs$/) as string,
    });
  });

  it('leaves a small service some room, and a large one half of what it needs', () => {
    expect(memoryBaseline([record(1e6), record(2e6), record(3e6)]).mostBytes).toBe(22e6);
    expect(memoryBaseline([record(800e6), record(1_000e6), record(4_000e6)]).mostBytes).toBe(1_500e6);
  });
});
