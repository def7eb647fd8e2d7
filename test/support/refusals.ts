import { expect } from 'vitest';
import type { RunReport } from '../../src/model/report.js';
import { watchInventory } from './inventory.js';
import { carryOut } from './procedure.js';
import type { Project } from './project.js';

/**
 * Expects that a procedure is refused since it would lose something: by its dry run with the same words, and without a touch
 * to containers, networks, volumes and redirects.
 */
export async function refusesToLose(
  project: Project,
  procedure: string,
  inputs: Readonly<Record<string, string>>,
  words: RegExp,
): Promise<RunReport> {
  const watch = await watchInventory(project);
  try {
    const predicted = await carryOut(project, { procedure, ...inputs, 'dry-run': 'true' });
    const { report, log } = await carryOut(project, { procedure, ...inputs });
    expect(report.error?.code, log).toBe('E_WOULD_LOSE');
    expect(report.error?.message).toMatch(words);
    expect(report.error?.next).toMatch(/Nothing was changed\.$/);
    expect([report.outcome, report.changed, report.services]).toEqual(['refused', false, []]);
    expect(predicted.report.error, predicted.log).toEqual(report.error);
    // Records on the engine and images under our own names are what a run always leaves.
    const changes = (await watch.changes()).filter((line) => /^. (container|network|NAT rule|volume) /.test(line));
    expect(changes.filter((line) => !/^. (container|volume) rolling-restart\./.test(line))).toEqual([]);
    return report;
  } finally {
    watch.close();
  }
}
