import type { LockOwner } from '../model/ports/ledger.js';
import { formatDuration } from '../model/units.js';
import type { ShellCommand, ShellResult } from './shell-command.js';

const LOOK_MS = 250;

/**
 * Asks the holder of the lock to end. It does what it does when its job is cancelled: what is verified stays, what is not is
 * undone, and the lock is given back.
 */
export const cancel: ShellCommand = {
  name: 'cancel',

  async perform(shell) {
    const { clock, locks, project, invocation, request, options, progress } = shell;
    const holder = await locks.holder();
    if (holder === undefined) return nobody(project);
    // A killed one hears nothing: whoever takes the lock next repairs.
    if (holder.alive === false) return gone(project, holder);
    const why = request.reason === undefined ? '' : `: ${request.reason}`;
    const asked = await locks.askToYield(`${invocation.actor} cancels it${why}`);
    if (asked === undefined) return nobody(project);
    progress.info(`asked ${asked.procedure} by ${asked.actor} to end (run ${asked.run})`);
    const began = clock.monotonic();
    while (clock.monotonic() - began < options.waitMs) {
      await clock.sleep(LOOK_MS, shell.cancelled);
      const now = await locks.holder();
      if (now?.generation === asked.generation) continue;
      const took = formatDuration(clock.monotonic() - began);
      return result(
        true,
        `${project}: ${asked.procedure} by ${asked.actor} ended ${took} after it was asked to`,
        asked,
      );
    }
    if (options.waitMs === 0) {
      return result(true, `${project}: ${asked.procedure} by ${asked.actor} was asked to end`, asked);
    }
    return result(
      false,
      `${project}: ${asked.procedure} by ${asked.actor} was asked to end, and has not after ${formatDuration(options.waitMs)}`,
      asked,
      'Undoing may take longer: look with status. One that hangs is ended on its host, and unlock frees its lock.',
    );
  },
};

function nobody(project: string): ShellResult {
  return result(true, `${project}: nobody holds the lock; there is nothing to cancel`, undefined);
}

function gone(project: string, holder: LockOwner): ShellResult {
  return result(
    true,
    `${project}: the process of ${holder.procedure} by ${holder.actor} is gone; there is nobody to ask`,
    holder,
    'The next procedure takes the lock over and repairs what it left.',
  );
}

function result(green: boolean, headline: string, asked: LockOwner | undefined, next?: string): ShellResult {
  const nextSteps = next === undefined ? [] : [next];
  return { green, headline, tables: [], nextSteps, value: { headline, ended: green, run: asked ?? null, nextSteps } };
}
