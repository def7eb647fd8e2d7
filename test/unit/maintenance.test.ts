import { describe, expect, it } from 'vitest';
import { PHASES, windowFor, type MaintenanceRecord } from '../../src/model/maintenance.js';

const record = (
  window: string,
  kind: MaintenanceRecord['kind'],
  outcome?: MaintenanceRecord['outcome'],
  run = `${window}/${kind}`,
): MaintenanceRecord => ({
  at: '2026-11-24T00:00:00.000Z',
  window,
  kind,
  run,
  by: 'octocat',
  outcome,
  startsAt: undefined,
  plannedMs: undefined,
  page: undefined,
  services: [],
  issues: [],
});

const announced = record('a', 'announced');
const performed = [announced, record('a', 'performing'), record('a', 'performed', 'deployed')];
const verified = [...performed, record('a', 'verified', 'completed')];
const completed = [...verified, record('a', 'completed', 'completed')];

describe('the maintenance window that a run works in', () => {
  it.each([
    ['a new one, the first time', [], 'perform', 'now'],
    ['the one that was announced', [announced], 'precheck', 'a'],
    ['the one that was announced, for the work', [announced], 'perform', 'a'],
    ['the one whose work failed', [...performed.slice(0, 2), record('a', 'performed', 'failed')], 'perform', 'a'],
    ['the one that was performed, to verify it', performed, 'verify', 'a'],
    ['the one that is verified, to complete it', verified, 'complete', 'a'],
    ['the one that is verified, to verify it again', completed, 'verify', 'a'],
    ['a new one after one that is verified', verified, 'perform', 'now'],
    ['a new one after one that is complete', completed, 'precheck', 'now'],
    ['a new one whenever something is announced', [announced], 'announce', 'now'],
    ['the last of several', [...performed, record('b', 'announced')], 'perform', 'b'],
  ] as const)('is %s', (_, records, phase, window) => {
    expect(windowFor(records, [phase], 'now')).toBe(window);
  });

  it('is the one that it has worked in, also when that is over by then', () => {
    const own = [...performed, record('a', 'verified', 'completed', 'now')];
    expect(windowFor(own, ['perform', 'verify'], 'now')).toBe('a');
    expect(windowFor([record('now', 'announced', undefined, 'now')], PHASES, 'now')).toBe('now');
  });
});
