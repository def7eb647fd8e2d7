import type { Finding } from './finding.js';

/** https://docs.docker.com/engine/containers/run/#exit-status, and 128 + the number of a signal. */
const MEANINGS: Readonly<Record<number, string>> = {
  0: 'it had nothing more to do: its command has to stay in the foreground',
  1: 'the program itself gave up: its log says why',
  125: 'Docker could not run it',
  126: 'its command cannot be executed: permissions, or built for another platform',
  127: 'its command was not found in the image',
  134: 'it aborted (SIGABRT)',
  137: 'it was killed (SIGKILL)',
  139: 'it crashed (SIGSEGV)',
  143: 'it was told to stop (SIGTERM)',
};

/** Runbook, Container Won't Start: the exit code. */
export const ended: Finding = {
  name: 'exit code',
  look: ({ session, containers }) => {
    const container = containers.find(
      ({ state, restartCount }) => state === 'exited' || state === 'restarting' || restartCount > 0,
    );
    if (container === undefined) return Promise.resolve(undefined);
    const code = session.events.lastExitCode(container.id) ?? container.exitCode;
    const memory =
      container.oomKilled || session.events.seen.some(({ id, action }) => id === container.id && action === 'oom');
    if (memory)
      return Promise.resolve('It ran out of memory: raise its limit in the compose file, or find out what uses it.');
    const meaning = MEANINGS[code];
    return Promise.resolve(`It ended with exit code ${code}${meaning === undefined ? '' : `: ${meaning}`}.`);
  },
};
