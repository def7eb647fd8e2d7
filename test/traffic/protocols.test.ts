import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { ensureRedisImage } from '../../scripts/lib/debian-image.mjs';
import { EDGE_IMAGE } from '../support/edge.js';
import { deploy } from '../support/live.js';
import { makeProject, type Project } from '../support/project.js';

let project: Project;
afterEach(() => project.cleanup());

const EDGE = { 'edge-image': EDGE_IMAGE, router: 'edge', strategy: 'blue-green' };

/** The library as the container gets it: pure JavaScript, no dependency. */
function library(): Record<string, string> {
  const folder = fileURLToPath(new URL('../../node_modules/ws', import.meta.url));
  const names = ['package.json', 'index.js', ...readdirSync(join(folder, 'lib')).map((name) => `lib/${name}`)];
  return Object.fromEntries(
    names.map((name) => [`app/node_modules/ws/${name}`, readFileSync(join(folder, name), 'utf8')]),
  );
}

const ECHO = `import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
const { WebSocketServer } = createRequire(import.meta.url)('ws');
const { version } = JSON.parse(readFileSync('release.json', 'utf8'));
const server = createServer((request, response) => response.end(version + ' ok\\n'));
new WebSocketServer({ server }).on('connection', (socket) => {
  socket.on('message', (text) => socket.send(version + ' ' + text));
});
server.listen(8080);
process.on('SIGTERM', () => process.exit(0));
`;

const ECHO_COMPOSE = `services:
  app:
    build:
      context: .
      args:
        BASE_IMAGE: \${BASE_IMAGE:-node:22-alpine}
    container_name: \${COMPOSE_PROJECT_NAME}-fixed
    ports: ['\${HOST_PORT}:8080']
    healthcheck:
      test: ['CMD', 'wget', '-q', '-O', '/dev/null', 'http://127.0.0.1:8080/']
      interval: 1s
    stop_grace_period: 2s
`;

async function opened(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url);
  await once(socket, 'open');
  return socket;
}

/** Sends and waits for the echo. @returns the version that answered */
async function echo(socket: WebSocket, text: string): Promise<string> {
  const answered = once(socket, 'message', { signal: AbortSignal.timeout(5_000) });
  socket.send(text);
  const [data] = (await answered) as [Buffer];
  const [version = '', said] = data.toString().split(' ');
  expect(said).toBe(text);
  return version;
}

describe('a WebSocket through a blue-green switch', () => {
  it('goes on with the old release for as long as drain-timeout allows, and new ones reach the new one', async () => {
    project = await makeProject({
      fixture: 'plain',
      files: { ...library(), 'app/server.mjs': ECHO, 'compose.yaml': ECHO_COMPOSE },
    });
    await deploy(project, 'app', { strategy: 'recreate' });
    await project.commitRelease({ version: '1.1.0' });
    await deploy(project, 'app', EDGE);
    const url = `ws://127.0.0.1:${project.port}/`;
    const old = await opened(url);
    expect(await echo(old, 'before')).toBe('1.1.0');
    await project.commitRelease({ version: '2.0.0' });
    let turns = 0;
    const done = deploy(project, 'app', { ...EDGE, 'drain-timeout': '4s' });
    const ended = once(old, 'close');
    let sawNew = false;
    while (old.readyState === WebSocket.OPEN) {
      const said = await Promise.race([echo(old, `turn-${(turns += 1)}`), ended.then(() => undefined)]);
      if (said !== undefined) expect(said).toBe('1.1.0');
      if (!sawNew) {
        const young = await opened(url);
        sawNew = (await echo(young, 'hello')) === '2.0.0';
        young.close();
      }
      await sleep(50);
    }
    const { report, log } = await done;
    // Both were served for a while, then the old connection was cut, and counted.
    expect(sawNew, log).toBe(true);
    expect(turns).toBeGreaterThan(10);
    expect(report.warnings.map(({ message }) => message).join('\n'), log).toMatch(
      /1 connections? outlived drain-timeout/,
    );
    const young = await opened(url);
    expect(await echo(young, 'after')).toBe('2.0.0');
    young.close();
  });
});

const redis = (image: string, clients: number): string => `services:
  cache:
    image: ${image}
    command: ['redis-server', '--save', '', '--protected-mode', 'no', '--maxclients', '${clients}']
    ports: ['\${HOST_PORT}:6379']
    stop_grace_period: 2s
`;

/** Asks over a connection of its own. */
async function ask(port: number, command: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  try {
    socket.setTimeout(5_000, () => socket.destroy(new Error('no answer')));
    socket.write(`${command}\r\n`);
    const [data] = (await once(socket, 'data')) as [Buffer];
    return data.toString().trim();
  } finally {
    socket.destroy();
  }
}

describe('Redis behind the edge', () => {
  it('answers every new connection while it is replaced, and is what the file says afterwards', async () => {
    const image = await ensureRedisImage();
    project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': redis(image, 500) } });
    const inputs = { readiness: 'tcp://:6379', 'drain-timeout': '2s' };
    await deploy(project, 'cache', { ...inputs, strategy: 'recreate' });
    await project.commitRelease({ files: { 'compose.yaml': redis(image, 600) } });
    const taken = await deploy(project, 'cache', { ...EDGE, ...inputs });
    expect(taken.log).toContain('tcp');
    await project.commitRelease({ files: { 'compose.yaml': redis(image, 700) } });
    const answers = new Map<string, number>();
    let ending = false;
    const asking = (async () => {
      while (!ending) {
        const answer = await ask(project.port, 'PING').catch((error: unknown) => String(error));
        answers.set(answer, (answers.get(answer) ?? 0) + 1);
        await sleep(5);
      }
    })();
    const { report, log } = await deploy(project, 'cache', { ...EDGE, ...inputs });
    ending = true;
    await asking;
    expect([...answers.keys()], log).toEqual(['+PONG']);
    expect(answers.get('+PONG')).toBeGreaterThan(100);
    expect(await ask(project.port, 'CONFIG GET maxclients')).toContain('700');
    expect(report.plan?.services[0]?.strategy).toBe('blue-green');
  });
});
