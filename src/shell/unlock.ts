import { ProcedureError } from '../model/errors.js';
import type { ShellCommand } from './shell-command.js';

/** Frees the lock by hand. What its owner left is still repaired by whoever takes the lock next. */
export const unlock: ShellCommand = {
  name: 'unlock',

  async perform({ locks, project, request, progress, cancelled }) {
    const holder = await locks.holder();
    if (holder === undefined) return freed(`${project}: nobody holds the lock`, null);
    if (!request.force) {
      if (holder.alive === undefined)
        progress.info(`the process of ${holder.actor} cannot be seen from here: its lease is watched`);
      const state = await locks.liveness(cancelled);
      if (state === 'free') return freed(`${project}: the lock was given back meanwhile`, null);
      if (state === 'alive') {
        throw new ProcedureError(
          'E_LOCKED',
          `${holder.procedure} by ${holder.actor} is alive and works on ${project} (run ${holder.run}, process ${holder.pid} on ${holder.host})`,
          {
            next: 'End it with cancel. Only when it must not go on and cannot be asked: unlock --force. Nothing was changed.',
          },
        );
      }
    }
    const owner = await locks.breakLock();
    if (owner === undefined) return freed(`${project}: nobody holds the lock`, null);
    return freed(
      `${project}: the lock was taken from ${owner.procedure} by ${owner.actor} (run ${owner.run})`,
      owner.run,
      'The next procedure repairs what it left, before anything else; check shows how things are.',
    );
  },
};

function freed(headline: string, run: string | null, next?: string): Awaited<ReturnType<ShellCommand['perform']>> {
  const nextSteps = next === undefined ? [] : [next];
  return { green: true, headline, tables: [], nextSteps, value: { headline, takenFrom: run, nextSteps } };
}
