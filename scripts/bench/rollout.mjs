/** A rolling update behind the user's own HAProxy: ours beside a script that scales up, waits and removes, under the same load. */
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run, tryRun } from '../lib/command.mjs';
import { runBundle } from './bundle.mjs';
import { underLoad } from './load.mjs';
import { makeProject, removeProject } from './project.mjs';

const RATE = 100;
const BAR = 1.2;
/** As docs/routers.md has it to copy: HAProxy finds the containers by the service's name and checks them. */
const CONFIG = `global
  stats socket /run/haproxy/admin.sock mode 666 level admin
resolvers docker
  nameserver engine 127.0.0.11:53
  hold valid 1s
  hold obsolete 0s
defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
frontend web
  bind :8000
  default_backend app
backend app
  option httpchk GET /
  server-template app 1-10 app:8080 check inter 500ms resolvers docker init-addr libc,none
`;

/**
 * @param {object} options
 * @param {string} options.node Node 24
 * @param {string} options.images repository of the two images
 * @param {string} options.haproxy image with HAProxy 3.0 or newer
 * @param {number} options.rounds changes by each way
 * @param {(line: string) => void} options.log
 * @returns {Promise<object[]>} rows of the table
 */
export async function rolloutRows({ node, images, haproxy, rounds, log }) {
  const sides = { script: await makeSide(images, haproxy), ours: await makeSide(images, haproxy) };
  const seen = { script: [], ours: [] };
  try {
    for (let round = 0; round < rounds; round += 1) {
      const version = 2 - (round % 2);
      seen.script.push(await change(sides.script, () => rollOutByScript(sides.script.project, images, version)));
      seen.ours.push(await change(sides.ours, () => rollOutByUs(sides.ours, node, images, version)));
      log(`rollout: round ${round + 1} of ${rounds}`);
    }
    return [rowOf(seen)];
  } finally {
    await Promise.all(Object.values(sides).map(removeSide));
  }
}

/** A project with one container and an HAProxy of its own in front of it. */
async function makeSide(images, haproxy) {
  const folderIn = (root) => join(root, 'haproxy');
  const project = await makeProject(images, {
    service: { ports: [], stop_grace_period: '3s' },
    policyIn: (root) => ({
      services: {
        app: { router: { haproxy: { socket: join(folderIn(root), 'admin.sock'), backend: 'app', port: 8080 } } },
      },
    }),
  });
  const folder = folderIn(project.root);
  mkdirSync(folder);
  chmodSync(folder, 0o777);
  writeFileSync(join(folder, 'haproxy.cfg'), CONFIG);
  await project.compose('up', '--detach', '--wait');
  const proxy = `${project.name}-proxy-${randomBytes(2).toString('hex')}`;
  const volume = `${folder}:/run/haproxy`;
  const where = ['--network', `${project.name}_default`, '--publish', `127.0.0.1:${project.port}:8000`];
  const command = ['haproxy', '-W', '-f', '/run/haproxy/haproxy.cfg'];
  await run('docker', ['run', '--detach', '--name', proxy, '--volume', volume, ...where, haproxy, ...command]);
  await sleep(1_500);
  return { project, proxy };
}

async function removeSide({ project, proxy }) {
  await tryRun('docker', ['rm', '--force', '--volumes', proxy]);
  await removeProject(project);
}

async function change({ project }, work) {
  const { result, load } = await underLoad(`http://127.0.0.1:${project.port}/`, RATE, async () => {
    await sleep(1_000);
    const began = performance.now();
    await work();
    const ms = performance.now() - began;
    await sleep(1_500);
    return { ms };
  });
  return { ms: result.ms, load };
}

/** What docker-rollout does: twice the containers, a look at their health every second, then the old ones go at once. */
async function rollOutByScript({ name, compose }, images, version) {
  await run('docker', ['tag', `${images}:${version}`, `${name}:live`]);
  const old = await containers(compose);
  await compose('up', '--detach', '--no-deps', '--no-recreate', '--scale', `app=${2 * old.length}`, 'app');
  const fresh = (await containers(compose)).filter((id) => !old.includes(id));
  for (let waited = 0; !(await healthy(fresh)); waited += 1) {
    if (waited === 60) throw new Error('the new container does not become healthy');
    await sleep(1_000);
  }
  await run('docker', ['stop', ...old]);
  await run('docker', ['rm', ...old]);
}

async function containers(compose) {
  return (await compose('ps', '--quiet', 'app')).split('\n').filter((id) => id !== '');
}

async function healthy(ids) {
  const states = await run('docker', ['inspect', '--format', '{{.State.Health.Status}}', ...ids]);
  return states.split('\n').every((state) => state.trim() === 'healthy');
}

async function rollOutByUs({ project }, node, images, version) {
  await runBundle(node, project, {
    procedure: 'code-update',
    service: 'app',
    image: `${images}:${version}`,
    watch: '0s',
    'error-patterns': '(?!)',
    strategy: 'rolling',
  });
}

function rowOf({ script, ours }) {
  const [theirMs, ourMs] = [script, ours].map((runs) => median(runs.map(({ ms }) => ms)));
  const told = (runs, ms) => {
    const sum = (pick) => runs.reduce((total, { load }) => total + pick(load), 0);
    return `${sum(({ failed }) => failed)} of ${sum(({ requests }) => requests)} failed, wall ${ms.toFixed(0)} ms`;
  };
  return {
    what: `rolling update of one container behind HAProxy, under ${RATE} requests/s, beside a script as docker-rollout is`,
    compose: told(script, theirMs),
    bundle: told(ours, ourMs),
    ratio: (ourMs / theirMs).toFixed(2),
    bar: `0 failed, ≤ ${BAR} ×`,
    holds: ourMs <= BAR * theirMs && ours.every(({ load }) => load.failed === 0),
  };
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
