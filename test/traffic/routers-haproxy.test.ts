import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureHaproxy26Image } from '../../scripts/lib/debian-image.mjs';
import type { Router } from '../../src/model/ports/router.js';
import type { RouterSpec } from '../../src/model/router.js';
import { parseServersState, type ServerState } from '../../src/routers/haproxy-runtime.js';
import { openHaproxy } from '../../src/routers/haproxy.js';
import { runtimeSocket } from '../../src/routers/runtime-socket.js';
import { EDGE_IMAGE, never } from '../support/edge.js';
import { docker, testEngine, until } from '../support/engine-containers.js';
import { deploy, update } from '../support/live.js';
import { startLoad, type LoadReport } from '../support/load.js';
import type { Carried } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';
import { makeProxyBench, removeNetwork, SHARED_NETWORK, type Proxy, type ProxyBench } from '../support/proxies.js';

/** As docs/routers.md has it to copy. */
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
  option httpchk GET /health
  server-template app 1-10 app:8080 check inter 2s resolvers docker init-addr libc,none
frontend second
  bind :8001
  default_backend second
backend second
`;

const compose = (socket: string): string => `services:
  app:
    build:
      context: .
      args:
        BASE_IMAGE: \${BASE_IMAGE:-node:22-alpine}
    deploy:
      replicas: 2
    healthcheck:
      test: ['CMD', 'wget', '-q', '-O', '/dev/null', 'http://127.0.0.1:8080/health']
      interval: 1s
    stop_grace_period: 3s
x-rolling-restart:
  services:
    app:
      router: { haproxy: { socket: '${socket}', backend: app } }
${SHARED_NETWORK}`;

let project: Project;
let bench: ProxyBench;
let haproxy: Proxy;
let socket: string;
let url: string;
let release = 1;

beforeAll(async () => {
  project = await makeProject({ fixture: 'replicas' });
  bench = await makeProxyBench(project);
  const folder = join(project.root, 'haproxy');
  await mkdir(folder);
  await chmod(folder, 0o777);
  socket = join(folder, 'admin.sock');
  haproxy = await bench.start({
    image: EDGE_IMAGE,
    command: ['haproxy', '-W', '-f', '/tmp/haproxy.cfg'],
    files: { '/tmp/haproxy.cfg': CONFIG },
    options: ['--volume', `${folder}:/run/haproxy`],
  });
  url = `http://${haproxy.address}:8000/`;
  await project.commitRelease({ files: { 'compose.yaml': compose(socket) } });
  await deploy(project, 'app');
});

afterAll(async () => {
  await bench.cleanup();
  await project.cleanup();
  await removeNetwork(bench);
});

const router = async (backend = 'app', reachedMs?: number): Promise<Router> => {
  const spec: Extract<RouterSpec, { kind: 'haproxy' }> = {
    kind: 'haproxy',
    socket,
    backend,
    port: undefined,
    network: undefined,
    options: undefined,
  };
  return openHaproxy(await testEngine(), spec, { project: project.name, service: 'app' }, reachedMs);
};
const servers = async (backend = 'app'): Promise<readonly ServerState[]> =>
  parseServersState(await runtimeSocket(socket)([`show servers state ${backend}`]));
const usable = async (): Promise<readonly string[]> =>
  (await servers()).filter((server) => server.usable).map(({ name }) => name);
const version = async (): Promise<string> => (await project.get(url)).text.split(' ')[0] ?? '';

/** A deploy of the next version, under load with and without kept connections and with requests of 2 s. */
async function deployUnderLoad(
  inputs: Readonly<Record<string, string>>,
): Promise<{ readonly carried: Carried; readonly reports: readonly LoadReport[] }> {
  release += 1;
  await project.commitRelease({ version: `${release}.0.0` });
  const slow = { url: `${url}slow?ms=2000`, everyMs: 400 };
  const loads = [
    await startLoad({ url, rate: 200, keepAlive: false, slow }),
    await startLoad({ url, rate: 100, keepAlive: true }),
  ];
  try {
    await sleep(2_000);
    const carried = await update(project, 'app', inputs);
    await sleep(500);
    return { carried, reports: await Promise.all(loads.map((load) => load.stop())) };
  } catch (error) {
    await Promise.all(loads.map((load) => load.stop()));
    throw error;
  }
}

function expectNoneFailed({ carried, reports }: Awaited<ReturnType<typeof deployUnderLoad>>): void {
  expect(carried.report.outcome, carried.log).toBe('deployed');
  for (const report of reports) {
    expect(report.failures, `${report.firstFailures.join('\n')}\n${carried.log}`).toEqual({});
    expect(report.slow.failures, carried.log).toEqual({});
    expect(report.lastVersion).toBe(`${release}.0.0`);
  }
  expect(carried.log).not.toContain('were cut');
  const done = carried.report.timeline.map(({ text }) => text);
  const drained = done.findIndex((text) => text.startsWith('drain '));
  expect(drained, done.join('\n')).toBeGreaterThan(-1);
  expect(done.findIndex((text) => text.startsWith('stop and remove '))).toBeGreaterThan(drained);
}

describe('code-update behind a HAProxy of the user’s own', () => {
  it.each(['rolling', 'blue-green'])('%s fails no request, and leaves HAProxy as its file says', async (strategy) => {
    const result = await deployUnderLoad({ strategy });
    expectNoneFailed(result);
    expect(result.carried.report.plan?.services[0]?.strategy).toBe(strategy);
    // Between changes the servers of the file serve, by name; none of ours is left.
    expect(await usable()).toHaveLength(2);
    expect((await servers()).filter(({ name }) => name.startsWith('rr-'))).toEqual([]);
    expect(await (await router()).problems()).toEqual([]);
  });

  it('canary gives shares, compares what HAProxy counted, and fails no request', async () => {
    const result = await deployUnderLoad({
      strategy: 'canary',
      'canary-steps': '20%, 100%',
      'canary-pause': '2s',
    });
    expectNoneFailed(result);
    const [, fresh = 0, old = 0] =
      /canary at 20 %: new: (\d+) requests, 0 failed.*; old: (\d+) requests, 0 failed/.exec(result.carried.log) ?? [];
    const share = Number(fresh) / (Number(fresh) + Number(old));
    expect(share, result.carried.log).toBeGreaterThan(0.12);
    expect(share, result.carried.log).toBeLessThan(0.28);
  });

  it('a release that never gets ready gets no request', async () => {
    await project.commitRelease({ version: '9.9.9', chaos: 'unhealthy' });
    const load = await startLoad({ url, rate: 200, keepAlive: false });
    const carried = await update(project, 'app', { strategy: 'blue-green', 'readiness-timeout': '4s' });
    const report = await load.stop();
    expect(carried.report.outcome, carried.log).toBe('rolled-back');
    expect(report.failures).toEqual({});
    expect(Object.keys(report.versions)).toEqual([`${release}.0.0`]);
    expect(await usable()).toHaveLength(2);
  });
});

describe('between changes', () => {
  it('a restart of HAProxy and a recreate by hand come back right, with nobody there', async () => {
    await docker('restart', '--time', '1', haproxy.id);
    await until('both serve', async () => (await usable().catch(() => [])).length === 2);
    expect(await version()).toBe(`${release}.0.0`);
    await project.pull();
    const answering = async (): Promise<string> => (await project.get(url)).text;
    const before = await project.containerIds('app');
    await project.compose(['up', '-d', '--force-recreate']);
    const after = await project.containerIds('app');
    expect(after.filter((id) => before.includes(id))).toEqual([]);
    await until('the new ones serve', async () => {
      const answers = await Promise.all([1, 2, 3, 4].map(() => answering().catch(() => '')));
      return after.every((id) => answers.some((answer) => answer.includes(id.slice(0, 12))));
    });
  });
});

describe('the router itself', () => {
  it('takes servers of other names over, drains them, and leaves a backup alone', async () => {
    const [one = '', two = ''] = await project.containerIds('app');
    const engine = await testEngine();
    const observed = await engine.containers(project.name, 'app');
    const target = (id: string, weight: number) => {
      const container = observed.find((candidate) => candidate.id === id);
      if (container === undefined) throw new Error(`no container ${id}`);
      return { container, weight };
    };
    const address = observed.find(({ id }) => id === one)?.addresses[0] ?? '';
    await runtimeSocket(socket)([
      `add server second/person ${address}:8080`,
      'enable server second/person',
      'add server second/sorry 127.0.0.1:9 backup',
      'enable server second/sorry',
    ]);
    const second = await router('second');
    expect(await second.serving()).toEqual([one]);
    const slow = project.get(`http://${haproxy.address}:8001/slow?ms=1500`);
    await until('it is in flight', async () => (await second.inFlight(one)) === 1);
    await second.apply([target(two, 100), target(one, 0)], never);
    expect(await second.serving()).toEqual([two]);
    expect(await second.inFlight(one)).toBe(1);
    expect((await slow).status).toBe(200);
    expect(await second.inFlight(one)).toBe(0);
    const states = await servers('second');
    expect(states.map(({ name, admin }) => `${name} ${admin}`)).toEqual([
      'person maint',
      'sorry ready',
      `rr-${two.slice(0, 12)} ready`,
    ]);
    // No server of the file knows the service by its name: what a reload would forget is said.
    expect((await second.problems()).join('\n')).toMatch(/a reload of HAProxy forgets/);

    const cut = project.get(`http://${haproxy.address}:8001/slow?ms=20000`, 30_000).then(
      ({ status }) => status,
      () => 0,
    );
    await until('it is in flight', async () => (await second.inFlight(two)) === 1);
    expect(await second.cut(two)).toBe(1);
    expect(await cut).not.toBe(200);
    await second.apply([target(one, 100)], never);
    expect((await servers('second')).map(({ name }) => name)).toEqual(['person', 'sorry', `rr-${one.slice(0, 12)}`]);
  });

  it('changes nothing when HAProxy does not reach a container', async () => {
    const second = await router('second', 3_000);
    const before = await second.serving();
    const [container] = await (await testEngine()).containers(project.name, 'app');
    if (container === undefined) throw new Error('no container');
    const networks = { lost: { address: '192.0.2.1', names: [] } };
    const lost = { ...container, id: 'f'.repeat(64), networks };
    await expect(second.apply([{ container: lost, weight: 100 }], never)).rejects.toThrow(/health check of 192.0.2.1/);
    expect(await second.serving()).toEqual(before);
    expect((await servers('second')).map(({ name }) => name)).not.toContain('rr-ffffffffffff');
  });

  it('refuses a HAProxy that is too old, a backend that is not there, a socket that nobody answers', async () => {
    const open = async (where: string, backend: string): Promise<Router> =>
      openHaproxy(
        await testEngine(),
        { kind: 'haproxy', socket: where, backend, port: undefined, network: undefined, options: undefined },
        { project: project.name, service: 'app' },
      );
    const old = await bench.start({
      image: await ensureHaproxy26Image(),
      command: ['haproxy', '-f', '/tmp/haproxy.cfg'],
      files: { '/tmp/haproxy.cfg': CONFIG.replace('/run/haproxy/admin.sock', 'ipv4@0.0.0.0:9999') },
    });
    const at = `tcp://${old.address}:9999`;
    await until('it answers', async () => (await runtimeSocket(at)(['show version']).catch(() => '')) !== '');
    await expect(open(at, 'app')).rejects.toMatchObject({
      code: 'E_ROUTER',
      message: expect.stringMatching(/is 2\.6.*needs 3\.0/) as string,
    });
    await expect(open(socket, 'nobody')).rejects.toThrow(/Can't find backend/);
    await expect(open(`${socket}.not`, 'app')).rejects.toMatchObject({ code: 'E_ROUTER' });
  });
});
