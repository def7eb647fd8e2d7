/**
 * Running other programs from the scripts: arguments as arrays, a deadline on every call, and errors that carry
 * what the program said. Plain Node, because the scripts run before `npm ci`.
 */
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** How a command ended. `code` is null when a signal ended it or when it could not be started. */
/** @typedef {{ code: number | null, stdout: string, stderr: string, timedOut: boolean }} CommandResult */

/**
 * Runs a command to its end and never throws for its exit code.
 *
 * @param {string} file
 * @param {string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, cwd?: string, timeoutMs?: number, inherit?: boolean, input?: string }} [options]
 *   `env` is laid over the current environment; `inherit` shows the output instead of collecting it.
 * @returns {Promise<CommandResult>}
 */
export function tryRun(file, args, { env, cwd, timeoutMs = 120_000, inherit = false, input } = {}) {
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: [input === undefined ? 'ignore' : 'pipe', inherit ? 'inherit' : 'pipe', inherit ? 'inherit' : 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    let timedOut = false;
    child.stdout?.setEncoding('utf8').on('data', (text) => (stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text) => (stderr += text));
    // A program that refuses its input early closes the pipe; its exit code tells the story.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
    }, timeoutMs);
    const end = (code) => {
      clearTimeout(timer);
      resolve({ code, stdout, stderr, timedOut });
    };
    child.on('error', (error) => {
      stderr += error.message;
      end(null);
    });
    child.on('close', end);
  });
}

/**
 * Runs a command and returns its standard output, trimmed.
 *
 * @param {string} file
 * @param {string[]} args
 * @param {Parameters<typeof tryRun>[2]} [options]
 * @returns {Promise<string>}
 * @throws {Error} when it does not exit with 0; the message ends with the last lines it printed.
 */
export async function run(file, args, options = {}) {
  const result = await tryRun(file, args, options);
  if (result.code === 0) return result.stdout.trim();
  const why = result.timedOut
    ? `took longer than ${(options.timeoutMs ?? 120_000) / 1000} s`
    : `exited with ${result.code}`;
  const tail = `${result.stdout}\n${result.stderr}`.trim().split('\n').slice(-12).join('\n');
  throw new Error(`\`${[file, ...args].join(' ')}\` ${why}${tail ? `:\n${tail}` : ''}`);
}

/**
 * Where a program is, or undefined.
 *
 * @param {string} name
 * @param {string} [path] search path, default the environment's plus the system folders a cron-like PATH lacks
 */
export function findProgram(name, path = `${process.env.PATH ?? ''}${delimiter}/usr/sbin${delimiter}/sbin`) {
  for (const folder of path.split(delimiter)) {
    if (!folder) continue;
    const candidate = join(folder, name);
    try {
      accessSync(candidate, constants.X_OK);
      return candidate;
    } catch {
      // not in this folder
    }
  }
  return undefined;
}
