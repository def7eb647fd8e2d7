/**
 * `npm run test:matrix`: the core tests on each Docker stack, one after the other, and a table of how each went.
 * Names of stacks choose among them (`npm run test:matrix -- newer`); other arguments go on to vitest.
 */
import { ensureDependencies } from './lib/dependencies.mjs';
import { run } from './lib/command.mjs';
import { ensureEngine } from './lib/engine.mjs';
import { withLock } from './lib/files.mjs';
import { ensureBaseImage } from './lib/images.mjs';
import { ensureNode24 } from './lib/node24.mjs';
import { ensureCompose5, ensureSecondStack, stopSecondStack } from './lib/stacks.mjs';
import { runVitest } from './lib/vitest.mjs';

const log = (line) => console.log(line);

/** The machine's own engine, in the form the other stacks have. */
async function ensureOwnStack() {
  const engine = await ensureEngine({ log });
  const driver = await run('docker', ['info', '--format', '{{.Driver}}'], { env: engine.env });
  return { env: engine.env, engineVersion: engine.version, composeVersion: engine.compose, imageStore: driver };
}

const STACKS = {
  own: ensureOwnStack,
  newer: () => ensureSecondStack({ log }),
  'newer-compose-5': () => ensureCompose5({ log }),
};

/**
 * Runs the matrix tests on one stack.
 *
 * @returns {Promise<{ stack: string, result: string, passed?: number, failed?: number, seconds?: string, ok: boolean }>}
 */
async function runStack(name, node24, args) {
  let described = name;
  try {
    const stack = await STACKS[name]();
    // A string says why this machine cannot have it: Compose 5 is tested where it can be built.
    if (typeof stack === 'string') return { stack: name, result: stack, ok: true };
    described = `${name}: Engine ${stack.engineVersion} (${stack.imageStore}), Compose ${stack.composeVersion}`;
    console.log(`\n== ${described}`);
    const image = await ensureBaseImage({ env: stack.env, log });
    const began = performance.now();
    const { code, totals } = await runVitest({
      report: `matrix-${name}`,
      args: ['--project', 'matrix', ...args],
      env: {
        ...stack.env,
        ROLLING_RESTART_TEST_BASE_IMAGE: image,
        ROLLING_RESTART_TEST_NODE24: node24,
        ROLLING_RESTART_TEST_STACK: name,
      },
    });
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    const ok = code === 0 && totals !== undefined && totals.failed === 0;
    const result = ok ? 'passed' : totals ? 'failed' : 'crashed';
    return { stack: described, result, ...totals, seconds, ok };
  } catch (error) {
    return { stack: described, result: `could not run: ${error.message}`, ok: false };
  }
}

/** Prints rows as a table with columns as wide as they need. */
function printTable(rows) {
  const columns = ['stack', 'passed', 'failed', 'seconds', 'result'];
  const cells = [columns, ...rows.map((row) => columns.map((column) => String(row[column] ?? '-')))];
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => row[index].split('\n')[0].length)));
  console.log('');
  for (const row of cells)
    console.log(
      row
        .map((cell, index) => cell.padEnd(widths[index]))
        .join('  ')
        .trimEnd(),
    );
}

async function main() {
  const given = process.argv.slice(2);
  const chosen = given.filter((argument) => argument in STACKS);
  const args = given.filter((argument) => !(argument in STACKS));
  await ensureDependencies({ log });
  const node24 = await ensureNode24({ log });
  const rows = [];
  // A signal ends the run at the next step, never the cleaning up.
  let interrupted = false;
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => (interrupted = true));
  try {
    for (const name of chosen.length > 0 ? chosen : Object.keys(STACKS)) {
      rows.push(await runStack(name, node24, args));
      if (interrupted) break;
    }
  } finally {
    await stopSecondStack();
  }
  printTable(rows);
  process.exitCode = !interrupted && rows.every((row) => row.ok) ? 0 : 1;
}

// Two runs would stop each other's second stack.
await withLock('matrix', main, { log, timeoutMs: 3_600_000 });
