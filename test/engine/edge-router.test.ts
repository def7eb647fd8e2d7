import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { edgeContainers, writeConfig } from '../../src/routers/edge/containers.js';
import { makeEdgeBench, never, type EdgeBench } from '../support/edge.js';
import { docker, until } from '../support/engine-containers.js';
import { startLoad } from '../support/load.js';
import { makeProject, type Project } from '../support/project.js';

let project: Project;
let bench: EdgeBench;
let one: string;
let two: string;

beforeAll(async () => {
  project = await makeProject({ fixture: 'plain' });
  await project.compose(['up', '-d', '--build']);
  bench = await makeEdgeBench(project);
  one = await project.containerId('app');
  two = await bench.beside('app', '2.0.0');
  await bench.installed(bench.spec('app', [{}]), [one]);
});

afterAll(async () => {
  await bench.cleanup();
  await docker('rm', '--force', two);
  await project.cleanup();
});

const version = async (): Promise<string> => (await project.get('/')).text.split(' ')[0] ?? '';
const edgeId = async (): Promise<string> =>
  (await edgeContainers(bench.tools, { project: project.name, service: 'app' }))[0]?.id ?? '';

async function apply(...shares: readonly (readonly [string, number])[]): Promise<void> {
  const router = await bench.router('app');
  await router.apply(await Promise.all(shares.map(([id, weight]) => bench.target(id, weight))), never);
}

describe('the edge as a router', () => {
  it('is found with its spec, and serves', async () => {
    const state = await bench.edges.find(project.name, 'app');
    expect(state).toMatchObject({ open: true, takeover: false, redirected: false });
    expect(await bench.edges.version(project.name, 'app')).toMatch(/^3\./);
    expect(state?.spec.ports).toMatchObject([{ target: 8080, published: String(project.port), mode: 'http' }]);
    expect(await (await bench.router('app')).serving()).toEqual([one]);
    expect(await version()).toBe('1.0.0');
  });

  it('switches under load without a failed request, and lets what is in flight finish', async () => {
    const slow = { url: `${project.url}/slow?ms=2000`, everyMs: 300 };
    const fresh = await startLoad({ url: project.url, rate: 200, keepAlive: false, slow });
    const kept = await startLoad({ url: project.url, rate: 100, keepAlive: true });
    const router = await bench.router('app');
    try {
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      expect(await router.inFlight(one)).toBeGreaterThan(0);
      await apply([two, 100], [one, 0]);
      expect(await router.serving()).toEqual([two]);
      await until('nothing is in flight at the old one', async () => (await router.inFlight(one)) === 0);
      await apply([two, 100]);
    } finally {
      const [first, second] = await Promise.all([fresh.stop(), kept.stop()]);
      expect(first.failures).toEqual({});
      expect(first.slow.failures).toEqual({});
      expect(second.failures).toEqual({});
      expect(first.lastVersion).toBe('2.0.0');
    }
  });

  it('gives shares, and counts for each container since it was routed to', async () => {
    const router = await bench.router('app');
    await router.apply([await bench.target(one, 10), await bench.target(two, 90)], never);
    const before = await router.counts();
    const load = await startLoad({ url: project.url, rate: 200, keepAlive: false });
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    const { versions, failed } = await load.stop();
    expect(failed).toBe(0);
    const total = (versions['1.0.0'] ?? 0) + (versions['2.0.0'] ?? 0);
    expect((versions['1.0.0'] ?? 0) / total).toBeGreaterThan(0.05);
    expect((versions['1.0.0'] ?? 0) / total).toBeLessThan(0.15);
    const counted = await router.counts();
    const requestsOf = (id: string, counts: typeof counted): number =>
      counts.find(({ container }) => container === id)?.requests ?? 0;
    // The old one came back into a slot of its own: what it had served before is not counted again.
    expect(requestsOf(one, before)).toBe(0);
    expect(requestsOf(one, counted)).toBe(versions['1.0.0']);
    expect(requestsOf(two, counted) - requestsOf(two, before)).toBe(versions['2.0.0']);
    expect(counted.every(({ failures }) => failures === 0)).toBe(true);
  });

  it('cuts what is in flight, and says how many', async () => {
    await apply([one, 100]);
    const router = await bench.router('app');
    const answers = [1, 2, 3].map(() =>
      project.get('/slow?ms=20000', 30_000).then(
        () => 'answered',
        () => 'cut',
      ),
    );
    await until('three are in flight', async () => (await router.inFlight(one)) === 3);
    expect(await router.cut(one)).toBe(3);
    expect(await Promise.all(answers)).not.toContain('answered');
    await until('none is left', async () => (await router.inFlight(one)) === 0);
  });

  it('holds requests between hold and release while none serves, and not otherwise', async () => {
    await apply([one, 0]);
    expect((await project.get('/')).status).toBe(503);
    const router = await bench.router('app');
    await router.hold({ maxMs: 10_000, maxQueue: 2 }, never);
    const held = [project.get('/'), project.get('/')];
    await new Promise((resolve) => setTimeout(resolve, 500));
    const refused = await project.get('/');
    expect(refused.status).toBe(503);
    await apply([two, 100]);
    expect((await Promise.all(held)).map(({ text }) => text.split(' ')[0])).toEqual(['2.0.0', '2.0.0']);

    await router.hold({ maxMs: 300, maxQueue: 100 }, never);
    await apply([two, 0]);
    const began = performance.now();
    expect((await project.get('/')).status).toBe(503);
    expect(performance.now() - began).toBeGreaterThan(280);
    await router.release(never);
    const released = performance.now();
    expect((await project.get('/')).status).toBe(503);
    expect(performance.now() - released).toBeLessThan(250);
    await apply([two, 100]);
  });

  it('keeps its file when HAProxy refuses another', async () => {
    const container = { id: await edgeId(), running: true };
    await expect(writeConfig(bench.tools, container, 'nonsense\n')).rejects.toMatchObject({ code: 'E_ROUTER' });
    await docker('restart', '-t', '0', container.id);
    await until('it serves again', async () => (await version().catch(() => '')) === '2.0.0');
  });

  it('changes nothing when a container cannot be reached', async () => {
    const lost = await docker(
      'create',
      '--network',
      'none',
      '--name',
      `${project.name}-lost`,
      'rolling-restart-base:node',
    );
    const router = await bench.router('app');
    try {
      await expect(router.apply([await bench.target(lost)], never)).rejects.toThrow(/has no address/);
      expect(await router.serving()).toEqual([two]);
      expect(await version()).toBe('2.0.0');
    } finally {
      await docker('rm', '--force', lost);
    }
  });

  it('has the right set after it is killed, and follows containers that swap addresses', async () => {
    await apply([one, 100]);
    await docker('kill', await edgeId());
    // A kill counts as stopped on purpose: the engine restarts what dies by itself, and a host's start brings it back.
    await docker('start', await edgeId());
    await until('it serves the same', async () => (await version().catch(() => '')) === '1.0.0');

    const address = (id: string): Promise<string> =>
      docker('inspect', '--format', '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}', id);
    const before = [await address(one), await address(two)];
    await docker('stop', '-t', '0', one, two);
    await docker('start', before[0] !== undefined && before[1] !== undefined && before[0] < before[1] ? two : one);
    await docker('start', one, two);
    expect([await address(one), await address(two)]).toEqual([...before].reverse());
    const began = performance.now();
    await until('the right one serves', async () => (await version().catch(() => '')) === '1.0.0');
    for (let asked = 0; asked < 20; asked += 1) expect(await version()).toBe('1.0.0');
    expect(performance.now() - began).toBeLessThan(6_000);
  });
});
