import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ensureCaddyImage } from '../../scripts/lib/debian-image.mjs';
import { openCaddy } from '../../src/routers/caddy.js';
import { never } from '../support/edge.js';
import { testEngine, until } from '../support/engine-containers.js';
import { deploy, update } from '../support/live.js';
import { startLoad } from '../support/load.js';
import { makeProject, type Project } from '../support/project.js';
import { makeProxyBench, removeNetwork, SHARED_NETWORK, type Proxy, type ProxyBench } from '../support/proxies.js';

/** As docs/routers.md has it to copy, and an admin endpoint that the test reaches. */
const CONFIG = {
  admin: { listen: '0.0.0.0:2019' },
  apps: {
    http: {
      servers: {
        web: {
          listen: [':8000'],
          routes: [{ handle: [{ '@id': 'app', handler: 'reverse_proxy', upstreams: [{ dial: 'app:8080' }] }] }],
        },
      },
    },
  },
};

const compose = (admin: string): string => `services:
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
      router: { caddy: { admin: '${admin}', id: app } }
${SHARED_NETWORK}`;

let project: Project;
let bench: ProxyBench;
let caddy: Proxy;
let admin: string;
let url: string;

beforeAll(async () => {
  project = await makeProject({ fixture: 'replicas' });
  bench = await makeProxyBench(project);
  caddy = await bench.start({
    image: await ensureCaddyImage(),
    command: ['caddy', 'run', '--config', '/tmp/caddy.json'],
    // As docs/routers.md has it to copy: without it, a reload resets what it has not accepted yet.
    options: ['--sysctl', 'net.ipv4.tcp_migrate_req=1'],
    files: { '/tmp/caddy.json': JSON.stringify(CONFIG) },
  });
  admin = `http://${caddy.address}:2019`;
  url = `http://${caddy.address}:8000/`;
  await project.commitRelease({ files: { 'compose.yaml': compose(admin) } });
  await deploy(project, 'app');
});

afterAll(async () => {
  await bench.cleanup();
  await project.cleanup();
  await removeNetwork(bench);
});

const open = async (at = admin, id = 'app') =>
  openCaddy(
    await testEngine(),
    { kind: 'caddy', admin: at, id, port: undefined, network: undefined, dial: undefined },
    { project: project.name, service: 'app' },
  );
const handler = async (): Promise<unknown> => JSON.parse((await project.get(`${admin}/id/app`)).text);

it('a change loses no new connection, nothing in flight, and leaves Caddy as its file says', async () => {
  await project.commitRelease({ version: '2.0.0' });
  const slow = { url: `${url}slow?ms=2000`, everyMs: 400 };
  const loads = [
    await startLoad({ url, rate: 150, keepAlive: false, slow }),
    await startLoad({ url, rate: 50, keepAlive: true }),
  ];
  await sleep(2_000);
  const carried = await update(project, 'app', { strategy: 'blue-green' }).finally(() => sleep(500));
  const [fresh, kept] = await Promise.all(loads.map((load) => load.stop()));
  expect(carried.report.outcome, carried.log).toBe('deployed');
  expect(carried.report.plan?.services[0]?.strategy).toBe('blue-green');
  expect(fresh?.failures, fresh?.firstFailures.join('\n')).toEqual({});
  expect(fresh?.slow.failures, carried.log).toEqual({});
  expect(fresh?.lastVersion).toBe('2.0.0');
  expect(carried.log).not.toContain('were cut');
  // Each of its three reloads closes kept connections, and a request that is just then sent on one is lost.
  expect(kept?.failed, kept?.firstFailures.join('\n')).toBeLessThan((kept?.requests ?? 0) / 50);
  console.info(`kept connections: ${kept?.failed} of ${kept?.requests} lost, ${JSON.stringify(kept?.failures)}`);
  expect(await handler()).toEqual(CONFIG.apps.http.servers.web.routes[0]?.handle[0]);
  expect(await (await open()).problems()).toEqual([]);
});

it('a release that never gets ready gets no request', async () => {
  await project.commitRelease({ version: '9.9.9', chaos: 'unhealthy' });
  const load = await startLoad({ url, rate: 100, keepAlive: false });
  const carried = await update(project, 'app', { strategy: 'blue-green', 'readiness-timeout': '4s' }).finally(() =>
    sleep(200),
  );
  const report = await load.stop();
  expect(carried.report.outcome, carried.log).toBe('rolled-back');
  expect(report.failures).toEqual({});
  expect(Object.keys(report.versions)).toEqual(['2.0.0']);
  expect(await handler()).toEqual(CONFIG.apps.http.servers.web.routes[0]?.handle[0]);
});

it('counts what a drained container has in flight until it is over', async () => {
  const router = await open();
  const [one, two] = await (await testEngine()).containers(project.name, 'app');
  if (one === undefined || two === undefined) throw new Error('two containers were expected');
  await router.apply(
    [
      { container: one, weight: 100 },
      { container: two, weight: 0 },
    ],
    never,
  );
  const slow = project.get(`${url}slow?ms=2500`);
  await until('it is in flight', async () => (await router.inFlight(one.id)) === 1);
  await router.apply(
    [
      { container: one, weight: 0 },
      { container: two, weight: 100 },
    ],
    never,
  );
  expect(await router.serving()).toEqual([two.id]);
  expect(await router.inFlight(one.id)).toBe(1);
  expect(await router.problems()).toHaveLength(2);
  expect((await slow).status).toBe(200);
  expect(await router.inFlight(one.id)).toBe(0);
  const all = [one, two].map((container) => ({ container, weight: 100 }));
  await router.apply(all, never, 'settled');
  expect(new Set(await router.serving())).toEqual(new Set([one.id, two.id]));
  expect(await router.problems()).toEqual([]);
});

it('refuses a handler that is not there, and a Caddy that does not answer', async () => {
  await expect(open(admin, 'nobody')).rejects.toMatchObject({
    code: 'E_ROUTER',
    message: expect.stringMatching(/unknown object ID/) as string,
  });
  await expect(open('http://127.0.0.1:9')).rejects.toMatchObject({
    code: 'E_ROUTER',
    message: expect.stringMatching(/does not answer/) as string,
  });
});
