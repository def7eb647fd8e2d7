import { formatDuration } from '../../model/units.js';
import type { Finding } from './finding.js';

const SHOWN = 160;
/** Docker's programs: what else this run has started may be meant to go on. */
const OF_DOCKER = /^(?:\S*\/)?docker\b/;

/**
 * Runbook, Restart Hangs: `ps aux | grep "docker compose"` and `pkill`, of this run alone. What was waited for in vain has
 * been ended by then; what it left behind is found by the run that stands in its environment, and ended now.
 */
export const stuckProcess: Finding = {
  name: 'process',
  async look({ session, failure }) {
    if (failure.code !== 'E_DEADLINE') return undefined;
    const said: string[] = [];
    const { stuck } = failure;
    if (stuck !== undefined) {
      said.push(
        `Process ${stuck.pid} of this run hung (${stuck.command}): it was ended after ${formatDuration(stuck.waitedMs)}.`,
      );
    }
    const { runId } = session.invocation;
    const left = (await session.commands.left(runId)).filter(({ command }) => OF_DOCKER.test(command));
    if (left.length > 0) {
      const pids = left.map(({ pid }) => pid);
      await session.commands.endLeft(runId, pids);
      const still = new Set((await session.commands.left(runId)).map(({ pid }) => pid));
      for (const { pid, command } of left) {
        const now = still.has(pid) ? 'lives on after SIGKILL: the kernel holds it' : 'was ended';
        said.push(`Process ${pid} of this run was left (${command.slice(0, SHOWN)}): it ${now}.`);
      }
    }
    return said.length === 0 ? undefined : said.join(' ');
  },
};
