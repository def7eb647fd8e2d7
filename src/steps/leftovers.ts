import path from 'node:path';
import { failureOf } from '../model/errors.js';
import type { Viewing } from './session.js';

/** Where the worktrees of all runs are. */
export function worktreesFolder({ stateDir }: Viewing['request']): string {
  return path.join(stateDir, 'worktrees');
}

/**
 * Takes away what earlier runs left that had no journal, such as a dry run or a check that was killed. What a run with a journal
 * left is taken away by its recovery.
 */
export async function removeLeftovers(viewing: Viewing): Promise<void> {
  const { traces, source, project, request, progress } = viewing;
  try {
    for (const name of await traces.removeHelpers(project, [])) progress.debug(`left by an earlier run: ${name}`);
    await source.removeLeftWorktrees(worktreesFolder(request));
  } catch (error) {
    progress.debug(`leftovers: ${failureOf(error).message}`); // they harm nothing
  }
}
