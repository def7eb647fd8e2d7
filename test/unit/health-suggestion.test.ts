import { expect, it } from 'vitest';
import { suggestHealthCheck } from '../../src/model/health-suggestion.js';

const check = {
  test: ['CMD', 'true'],
  intervalMs: 2_000,
  timeoutMs: 3_000,
  startPeriodMs: 5_000,
  startIntervalMs: 5_000,
  retries: 2,
};

it.each([
  [12_000, 100, ['start_period: 18s (is 5s)']],
  [12_000, 2_500, ['start_period: 18s (is 5s)', 'timeout: 5s (is 3s)']],
  [5_000, 100, []],
])('a start of %i ms whose check takes %i ms', (startupMs, probeMs, lines) => {
  expect(suggestHealthCheck(check, startupMs, probeMs)).toEqual(lines);
});
