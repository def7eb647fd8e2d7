/** How long the bundle takes from its start to the first thing it asks the engine. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { startBundle } from './bundle.mjs';

/**
 * A listener stands at DOCKER_HOST and notes when the first request comes. It answers nothing of use: the run ends there.
 *
 * @returns {Promise<number>} milliseconds
 */
export async function firstCallMs(node, project, environment = {}) {
  // Of its own: programs that an earlier run had started, and that outlived it, ask at the socket they were given.
  const socket = join(project.root, `engine-${randomBytes(4).toString('hex')}.sock`);
  let first;
  const arrived = new Promise((resolve) => (first = resolve));
  const server = createServer((request, response) => {
    // The Docker CLI, which the bundle starts as well, says who it is; what counts is the bundle's own call.
    if (!/docker/i.test(request.headers['user-agent'] ?? '')) first(performance.now());
    response.writeHead(503).end();
  });
  await once(server.listen(socket), 'listening');
  const began = performance.now();
  const child = startBundle(
    node,
    project,
    { procedure: 'code-update', service: 'app' },
    { DOCKER_HOST: `unix://${socket}`, ...environment },
  );
  const ended = once(child, 'close');
  child.stdout.resume();
  child.stderr.resume();
  try {
    const atMs = await Promise.race([arrived, ended.then(() => undefined)]);
    if (atMs === undefined) throw new Error('the bundle ended without having asked the engine anything');
    return atMs - began;
  } finally {
    // It ends by itself, as the engine is of no use, and takes with it what it has started.
    await ended;
    server.closeAllConnections();
    server.close();
  }
}
