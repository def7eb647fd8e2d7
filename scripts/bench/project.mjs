/** The small service that the bench changes: two images that differ in their version, in a checkout of its own. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, tryRun } from '../lib/command.mjs';

/**
 * @typedef {object} Project
 * @property {string} name compose project
 * @property {string} dir the live checkout
 * @property {string} root temporary folder that holds all of it
 * @property {number} port where the service answers
 * @property {(...args: string[]) => Promise<string>} compose runs `docker compose …` as a person would
 */

/** A server that answers with its version and needs a second to boot, as services do: a part of every outage. */
const SERVER = `
const { createServer } = require('node:http');
const server = createServer((request, response) => response.end(process.env.VERSION));
setTimeout(() => server.listen(8080, () => console.log('listens')), 1000);
process.on('SIGTERM', () => server.close(() => process.exit(0)) && server.closeAllConnections());
`;

/**
 * Builds the two images. They differ in one environment variable, as two releases differ in a layer.
 *
 * @param {string} base image with node
 * @param {string} name repository of the images
 */
export async function buildImages(base, name) {
  const folder = mkdtempSync(join(tmpdir(), 'rr-bench-build-'));
  try {
    writeFileSync(join(folder, 'server.js'), SERVER);
    for (const version of [1, 2]) {
      const lines = [
        `FROM ${base}`,
        'COPY server.js /server.js',
        `ENV VERSION=${version}`,
        'CMD ["node", "/server.js"]',
      ];
      writeFileSync(join(folder, 'Dockerfile'), `${lines.join('\n')}\n`);
      await run('docker', ['build', '--quiet', '--tag', `${name}:${version}`, folder]);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * A checkout with an origin, and version 1 of the images as the one that its compose file names.
 *
 * @param {string} images repository of the images
 * @param {{ service?: object, policyIn?: (root: string) => object }} [options] more keys of the service, and the policy of the project
 *   in that folder
 * @returns {Promise<Project>}
 */
export async function makeProject(images, { service = {}, policyIn = () => ({}) } = {}) {
  const name = `rr-bench-${randomBytes(4).toString('hex')}`;
  const root = mkdtempSync(join(tmpdir(), `${name}-`));
  const dir = join(root, 'live');
  const port = await freePort();
  const definition = {
    image: `${name}:live`,
    ports: [`127.0.0.1:${port}:8080`],
    // Asked often from the start on, so that `up --wait` has nothing to wait for but the service.
    healthcheck: {
      test: ['CMD', 'wget', '-q', '-O', '/dev/null', 'http://127.0.0.1:8080/'],
      interval: '2s',
      timeout: '2s',
      start_period: '20s',
      start_interval: '100ms',
    },
    ...service,
  };
  const document = { name, services: { app: definition }, 'x-rolling-restart': policyIn(root) };
  await run('git', ['init', '--quiet', '--initial-branch=main', dir]);
  writeFileSync(join(dir, 'compose.yaml'), JSON.stringify(document, undefined, 2));
  const identity = ['-c', 'user.name=Bench', '-c', 'user.email=bench@example.com'];
  await run('git', ['add', '--all'], { cwd: dir });
  await run('git', [...identity, 'commit', '--quiet', '--message', 'Bench'], { cwd: dir });
  await run('git', ['clone', '--quiet', '--bare', dir, join(root, 'origin.git')]);
  await run('git', ['remote', 'add', 'origin', join(root, 'origin.git')], { cwd: dir });
  await run('docker', ['tag', `${images}:1`, `${name}:live`]);
  const compose = (...args) => run('docker', ['compose', '--ansi', 'never', ...args], { cwd: dir });
  return { name, dir, root, port, compose };
}

/** Removes all that carries the name, and the folder. */
export async function removeProject({ name, root }) {
  const list = async (...args) => (await run('docker', args)).split('\n').filter((line) => line !== '');
  const remove = async (command, names) => {
    if (names.length > 0) await tryRun('docker', [...command, ...names]);
  };
  for (const label of ['com.docker.compose.project', 'rolling-restart.project']) {
    const filter = ['--filter', `label=${label}=${name}`];
    await remove(['rm', '--force', '--volumes'], await list('ps', '--all', '--quiet', ...filter));
    await remove(['volume', 'rm', '--force'], await list('volume', 'ls', '--quiet', ...filter));
    await remove(['network', 'rm'], await list('network', 'ls', '--quiet', ...filter));
  }
  await removeImages(name);
  await removeImages(`rolling-restart/${name}-*`);
  rmSync(root, { recursive: true, force: true, maxRetries: 3 });
}

/** Removes the names of a repository; the images go with their last one. */
export async function removeImages(repository) {
  const format = ['--format', '{{.Repository}}:{{.Tag}}', '--filter', `reference=${repository}`];
  const names = (await run('docker', ['images', ...format])).split('\n').filter((line) => line !== '');
  if (names.length > 0) await tryRun('docker', ['rmi', '--force', ...names]);
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
