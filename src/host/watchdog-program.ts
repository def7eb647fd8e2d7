/**
 * What a watchdog runs: Node and nothing else, so that it starts in milliseconds and needs no file. Kept as text since it runs
 * in a process of its own, from the bundle and from the sources alike.
 *
 * Its standard input is a pipe from the run. The first line says what to watch over. `done` ends it. The end of the pipe without
 * that is the end of the run, however it ended; then, or at the limit, containers that were paused go on, and those that were
 * stopped are started. It tries for a while: a request that the run made in its last moment may still be carried out.
 */
export const WATCHDOG_PROGRAM = String.raw`'use strict';
const { setTimeout: sleep } = require('node:timers/promises');
let text = '';
let watch;
let releasing = false;

process.stdin.setEncoding('utf8');
process.stdin.on('data', (chunk) => {
  text += chunk;
  const [first, ...rest] = text.split('\n');
  if (watch === undefined && rest.length > 0) {
    watch = JSON.parse(first);
    process.title = ['rolling-restart watchdog of', ...watch.containers.map(({ id }) => id.slice(0, 12))].join(' ');
    setTimeout(release, watch.limitMs);
  }
  if (rest.includes('done')) process.exit(0);
});
process.stdin.on('end', release);
process.stdin.on('error', release);

async function release() {
  if (releasing || watch === undefined) return;
  releasing = true;
  await Promise.all(watch.containers.map((one) => letGo(one).catch(() => undefined)));
  process.exit(0);
}

async function letGo(container) {
  const tryUntil = Date.now() + container.tryMs;
  const giveUpAt = Date.now() + watch.giveUpMs;
  for (;;) {
    const left = await once(container).catch(() => undefined);
    // undefined: the engine does not answer.
    if (left === false || Date.now() > (left === undefined ? giveUpAt : tryUntil)) return;
    await sleep(200);
  }
}

/** Resolves with whether it has to be tried again. */
async function once({ id, startedAt }) {
  if (watch.how === 'pause') {
    const { status } = await ask('POST', '/containers/' + id + '/unpause');
    return status !== 204 && status !== 404;
  }
  const { status, body } = await ask('GET', '/containers/' + id + '/json');
  // Somebody has started it since: whether it runs is for them to say.
  if (status === 404 || JSON.parse(body).State.StartedAt !== startedAt) return false;
  const started = await ask('POST', '/containers/' + id + '/start');
  return started.status !== 204 && started.status !== 404;
}

function ask(method, path) {
  const { request } = require(watch.engine.protocol === 'https:' ? 'node:https' : 'node:http');
  return new Promise((resolve, reject) => {
    const asked = request({ ...watch.engine, method, path, timeout: 30000, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk) => (body += chunk));
      response.on('end', () => resolve({ status: response.statusCode, body })).on('error', reject);
    });
    asked.on('timeout', () => asked.destroy(new Error('timeout'))).on('error', reject).end();
  });
}
`;
