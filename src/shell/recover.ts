import { isGreen } from '../model/outcome.js';
import { recoverAbandoned } from '../procedures/run-procedure.js';
import type { ShellCommand } from './shell-command.js';

/** What every procedure does first, and nothing else. */
export const recover: ShellCommand = {
  name: 'recover',

  async perform(shell) {
    const report = await recoverAbandoned(shell);
    const { headline, nextSteps } = report;
    return { green: isGreen(report.outcome), headline, tables: [], nextSteps, value: { ...report } };
  },
};
