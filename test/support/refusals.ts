import { expect } from 'vitest';
import type { RunReport } from '../../src/model/report.js';
import type { Case } from './cases.js';

/** Expects that a procedure is refused because it would lose something, and that its dry run says so in the same words. */
export async function refusesToLose(
  project: Case,
  procedure: string,
  inputs: Readonly<Record<string, string>>,
  words: RegExp,
): Promise<RunReport> {
  const { report, log } = await project.predict(procedure, inputs);
  expect(report.error?.code, log).toBe('E_WOULD_LOSE');
  expect(report.error?.message).toMatch(words);
  expect(report.error?.next).toMatch(/Nothing was changed\.$/);
  expect([report.outcome, report.changed, report.services]).toEqual(['refused', false, []]);
  return report;
}
