/**
 * `npm run setup`: what the tests and the demo need, on a machine that may have none of it. Does nothing twice.
 * `npm run setup -- --stop` stops the engine again, if it was started here.
 */
import { pathToFileURL } from 'node:url';
import { ensureDependencies } from './lib/dependencies.mjs';
import { ensureEngine, stopEngine } from './lib/engine.mjs';
import { ensureEdgeImage } from './lib/edge-image.mjs';
import { ensureBaseImage } from './lib/images.mjs';
import { ensureNode24 } from './lib/node24.mjs';

/**
 * Sets everything up and says so, a line per thing with its duration. Missing npm packages end it; any other problem
 * is reported, because the tests that do not need that thing can still run.
 *
 * @param {{ log?: (line: string) => void }} [options]
 * @returns {Promise<{ env: Record<string, string>, problems: string[] }>} `env` is what the tests read:
 *   ROLLING_RESTART_TEST_BASE_IMAGE, ROLLING_RESTART_TEST_EDGE_IMAGE and ROLLING_RESTART_TEST_NODE24, or, where one of
 *   them cannot be had,
 *   ROLLING_RESTART_ENGINE_PROBLEM and ROLLING_RESTART_NODE24_PROBLEM with the reason
 */
export async function setup({ log = console.log } = {}) {
  const env = {};
  const problems = [];
  const attempt = async (problemName, name, work) => {
    const began = performance.now();
    try {
      const what = await work();
      log(`${name}: ${what} (${seconds(began)})`);
    } catch (error) {
      log(`${name}: ${error.message} (${seconds(began)})`);
      problems.push(error.message);
      env[problemName] = error.message;
    }
  };

  const began = performance.now();
  const packages = await ensureDependencies({ log });
  log(`npm packages: ${packages} (${seconds(began)})`);
  await attempt('ROLLING_RESTART_ENGINE_PROBLEM', 'Docker engine', async () => {
    const engine = await ensureEngine({ log });
    Object.assign(env, engine.env);
    return `${engine.version} at ${engine.endpoint}, Compose ${engine.compose}, buildx ${engine.buildx ?? 'missing'}`;
  });
  if (!env.ROLLING_RESTART_ENGINE_PROBLEM) {
    await attempt('ROLLING_RESTART_ENGINE_PROBLEM', 'base image', async () => {
      env.ROLLING_RESTART_TEST_BASE_IMAGE = await ensureBaseImage({ env, log });
      return env.ROLLING_RESTART_TEST_BASE_IMAGE;
    });
    await attempt('ROLLING_RESTART_ENGINE_PROBLEM', 'edge image', async () => {
      env.ROLLING_RESTART_TEST_EDGE_IMAGE = await ensureEdgeImage({ env, log });
      return env.ROLLING_RESTART_TEST_EDGE_IMAGE;
    });
  }
  await attempt('ROLLING_RESTART_NODE24_PROBLEM', 'Node 24', async () => {
    env.ROLLING_RESTART_TEST_NODE24 = await ensureNode24({ log });
    return env.ROLLING_RESTART_TEST_NODE24;
  });
  return { env, problems };
}

const seconds = (began) => `${((performance.now() - began) / 1000).toFixed(1)} s`;

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  if (process.argv.includes('--stop')) {
    console.log((await stopEngine()) ? 'Docker engine: stopped' : 'Docker engine: none of ours is running');
  } else {
    const { problems } = await setup();
    if (problems.length > 0) process.exitCode = 1;
  }
}
