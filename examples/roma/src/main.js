import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { createApp } from './app.js';
import { createChaos, RELEASE_CHAOS } from './chaos.js';
import { openState } from './state.js';

/**
 * Runs the service until SIGTERM or SIGINT.
 *
 * Environment: PORT (3000), ROMA_STATE_DIR (.roma in the root), ROMA_GREETING,
 * ROMA_CHAOS (see chaos.js; set, even to nothing, it replaces what the release
 * has built in), GIT_COMMIT (from the build).
 *
 * @param {{ root: URL, version: string }} options the folder of package.json, and its version
 */
export async function serve({ root, version }) {
  const { env } = process;
  const bootTime = new Date().toISOString();
  const chaos = createChaos(env.ROMA_CHAOS ?? RELEASE_CHAOS, log);
  const state = openState(env.ROMA_STATE_DIR || fileURLToPath(new URL('.roma', root)));
  const commit = env.GIT_COMMIT || 'unknown';
  const release = { version, commit, bootTime, boots: state.boot(version) };
  const app = createApp({
    release,
    greeting: env.ROMA_GREETING || 'Salve!',
    almanac: JSON.parse(readFileSync(new URL('dist/almanac.json', root), 'utf8')),
    state,
    chaos,
  });

  let stopping = false;
  const stop = async (signal) => {
    if (chaos.ignoresSigterm) return log(`${signal} ignored`);
    if (stopping) return;
    stopping = true;
    log(`${signal}: stopping, ${app.inFlight()} requests in flight`);
    await app.stop();
    log('stopped');
    process.exit(0);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);

  // The "thread dump" of the runbook: docker compose exec roma kill -3 1
  process.on('SIGQUIT', () => {
    const rss = Math.round(process.memoryUsage().rss / 1e6);
    log(`dump: ${rss} MB, ${app.inFlight()} requests in flight, up ${process.uptime().toFixed(0)} s`);
    log(`dump: waits for ${process.getActiveResourcesInfo().join(', ')}`);
  });

  await chaos.beforeListening();
  app.server.listen(Number(env.PORT ?? 3000), () => {
    const { port } = app.server.address();
    log(`roma ${version} (commit ${commit}) listens on port ${port}, boot ${release.boots}`);
    chaos.start();
  });
}

function log(line) {
  console.log(`${new Date().toISOString()} ${line}`);
}
