/**
 * `npm test`: sets up what is missing, then runs every test but the matrix. Arguments go on to vitest:
 * `npm test -- test/unit`, `npm test -- -t 'rolls back'`.
 *
 * Nothing is skipped where an engine is missing: the tests that need one fail with the reason, which they read from
 * ROLLING_RESTART_ENGINE_PROBLEM.
 */
import { runVitest } from './lib/vitest.mjs';
import { setup } from './setup.mjs';

const { env } = await setup();
const { code, totals } = await runVitest({
  report: 'test',
  args: ['--project', '!matrix', ...process.argv.slice(2)],
  env,
});
if (!totals) console.error('vitest ended without a report.');
process.exitCode = code === 0 && !totals ? 1 : code;
