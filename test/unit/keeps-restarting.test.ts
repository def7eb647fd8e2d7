import { describe, expect, it } from 'vitest';
import { keepsRestarting } from '../../src/model/service.js';

const startedAt = '2026-11-24T03:15:00.000Z';
const after = (ms: number): number => Date.parse(startedAt) + ms;

describe('a container that Docker restarts', () => {
  it.each([
    ['its first start', 0, 100, false],
    ['restarted a moment ago', 3, 100, true],
    ['restarted, and up for ten seconds', 3, 10_000, false],
    ['restarted last week', 1, 7 * 24 * 3_600_000, false],
  ])('%s', (_what, restartCount, ms, expected) => {
    expect(keepsRestarting({ restartCount, startedAt }, after(ms))).toBe(expected);
  });
});
