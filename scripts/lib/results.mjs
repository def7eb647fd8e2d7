/**
 * Sums up vitest's JSON reports. As a command, `node scripts/lib/results.mjs FOLDER` prints `PASSED FAILED` for all
 * reports in a folder, and exits with 1 when there is none.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * What one report says. A test that did not run did not pass (vitest skips the tests of a file whose `beforeAll`
 * fails), and a file that could not be loaded counts as one failed test.
 *
 * @param {string} file
 * @returns {{ passed: number, failed: number } | undefined} undefined when there is no readable report
 */
export function readTotals(file) {
  let report;
  try {
    report = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
  const brokenFiles = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && assertionResults.every((assertion) => assertion.status === 'passed'),
  );
  const passed = report.numPassedTests;
  return { passed, failed: report.numTotalTests - passed + brokenFiles.length };
}

/** The sum over all reports in a folder; undefined when one is broken or there is none. */
function sumFolder(folder) {
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : [];
  const all = files.map((name) => readTotals(join(folder, name)));
  if (all.length === 0 || all.includes(undefined)) return undefined;
  return all.reduce((sum, one) => ({ passed: sum.passed + one.passed, failed: sum.failed + one.failed }));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const sum = sumFolder(process.argv[2] ?? '.');
  if (sum) console.log(`${sum.passed} ${sum.failed}`);
  else process.exitCode = 1;
}
