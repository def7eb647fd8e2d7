/** The product's shell door as a child process, its log shown while it is written. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { projectRoot } from '../lib/files.mjs';

export const BUNDLE = join(projectRoot, 'dist', 'cli.js');

/** A cancelled run finishes or undoes what it began; after that long it is ended by force. */
const PATIENCE_MS = 25_000;

/**
 * @typedef {object} ShellRun
 * @property {number} exitCode 0 is green
 * @property {string} log everything it printed
 */

/**
 * Carries a procedure out, to its end: when the signal aborts, the run is cancelled and waited for, so that nothing
 * it does comes after what the caller does next.
 *
 * @param {string[]} args of `rolling-restart`
 * @param {object} options
 * @param {string} options.cwd the live checkout
 * @param {NodeJS.ProcessEnv} options.env the whole environment
 * @param {AbortSignal} options.signal
 * @param {import('./show.mjs').Show} options.show
 * @param {RegExp[]} options.hide parts of the log that are not shown, by their first line
 * @returns {Promise<ShellRun>}
 */
export async function rollingRestart(args, { cwd, env, signal, show, hide }) {
  show.command(['rolling-restart', ...args].map(quoted).join(' '));
  // Its own process group: a Ctrl-C at the terminal reaches it once, from here, and not twice.
  const child = spawn(process.execPath, [BUNDLE, ...args], {
    cwd,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'close');
  let force;
  const cancel = () => {
    child.kill('SIGINT');
    force = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  };
  if (signal.aborted) cancel();
  else signal.addEventListener('abort', cancel, { once: true });

  const log = [];
  const shown = filterLines(hide);
  const lines = (stream) =>
    createInterface({ input: stream, crlfDelay: Infinity }).on('line', (line) => {
      log.push(line);
      if (shown(line)) show.output(line);
    });
  lines(child.stdout);
  lines(child.stderr);
  try {
    const [exitCode] = await ended;
    return { exitCode: exitCode ?? 1, log: log.join('\n') };
  } finally {
    clearTimeout(force);
    signal.removeEventListener('abort', cancel);
  }
}

/** A part of the log begins with a line that is not indented. What builders print is never shown. */
function filterLines(hide) {
  let hidden = false;
  return (line) => {
    if (/^\S/.test(line)) hidden = hide.some((pattern) => pattern.test(line));
    return !hidden && line.trim() !== '' && !/^\s*│ *(#\d.*)?$/.test(line);
  };
}

/** An argument as a person would type it. */
function quoted(text) {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
