/** Runs vitest as a child, with a JSON report beside what it prints. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from './files.mjs';
import { readTotals } from './results.mjs';

/**
 * Runs the tests to their end. A signal that this process gets goes on to vitest, and the caller goes on to clean up.
 *
 * @param {object} options
 * @param {string} options.report name of the report: `NAME.json` in the folder that ROLLING_RESTART_RESULTS names, or
 *   in a temporary one that is removed
 * @param {string[]} options.args further arguments of `vitest run`
 * @param {Record<string, string>} [options.env]
 * @returns {Promise<{ code: number, totals?: { passed: number, failed: number } }>}
 *   `totals` is missing when vitest ended without a report
 */
export async function runVitest({ report, args, env = {} }) {
  const wanted = process.env.ROLLING_RESTART_RESULTS;
  const folder = wanted ?? mkdtempSync(join(tmpdir(), 'rolling-restart-results-'));
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${report}.json`);
  rmSync(file, { force: true });

  const vitest = join(projectRoot, 'node_modules', 'vitest', 'vitest.mjs');
  const child = spawn(
    process.execPath,
    [vitest, 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`, ...args],
    { cwd: projectRoot, stdio: 'inherit', env: { ...process.env, ...env } },
  );
  const forward = (signal) => child.kill(signal);
  const signals = ['SIGINT', 'SIGTERM'];
  for (const signal of signals) process.on(signal, forward);
  const code = await new Promise((resolve) => {
    child.on('error', () => resolve(1));
    child.on('close', (exitCode) => resolve(exitCode ?? 1));
  });
  for (const signal of signals) process.removeListener(signal, forward);

  const totals = readTotals(file);
  if (!wanted) rmSync(folder, { recursive: true, force: true });
  return { code, totals };
}
