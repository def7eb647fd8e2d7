import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeEdgeBench, never, type EdgeBench } from '../support/edge.js';
import { docker } from '../support/engine-containers.js';
import { startLoad, type LoadReport } from '../support/load.js';
import { makeProject, type Project } from '../support/project.js';

/** A service as a person has it: a fixed name and a port of the host. */
const COMPOSE = `
services:
  app:
    build:
      context: .
      args:
        BASE_IMAGE: \${BASE_IMAGE:-node:22-alpine}
    container_name: \${COMPOSE_PROJECT_NAME}-fixed
    ports:
      - \${HOST_PORT}:8080
`;

let project: Project;
let bench: EdgeBench;
let old: string;
const more: string[] = [];

beforeEach(async () => {
  project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': COMPOSE } });
  await project.compose(['up', '-d', '--build']);
  bench = await makeEdgeBench(project);
  old = await project.containerId('app');
});

afterEach(async () => {
  await bench.cleanup();
  if (more.length > 0) await docker('rm', '--force', ...more.splice(0));
  await project.cleanup();
});

const rules = async (): Promise<string> =>
  (
    await docker(
      'run',
      '--rm',
      '--network',
      'host',
      '--cap-add',
      'NET_ADMIN',
      '-v',
      '/:/host',
      'rolling-restart-base:node',
      'chroot',
      '/host',
      '/usr/sbin/iptables',
      '-t',
      'nat',
      '-S',
    )
  )
    .split('\n')
    .filter((line) => line.includes(`rolling-restart:${project.name}/`))
    .join('\n');

async function underLoad(work: () => Promise<void>): Promise<LoadReport> {
  const load = await startLoad({ url: project.url, rate: 300, keepAlive: false });
  try {
    await work();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  } catch (error) {
    await load.stop();
    throw error;
  }
  return load.stop();
}

const aliases = (): readonly string[] => [`${project.name}-fixed`];

/** What a strategy does: a new container beside, ready, gets all the traffic; the old one is drained and stopped. */
async function replace(): Promise<string> {
  const fresh = await bench.beside('app', '2.0.0');
  more.push(fresh);
  const router = await bench.router('app');
  await router.apply([await bench.target(fresh), await bench.target(old, 0)], never);
  await new Promise((resolve) => setTimeout(resolve, 500));
  return fresh;
}

describe('taking a published port over', () => {
  it('fails no new connection where the host redirects for some seconds', async () => {
    const spec = bench.spec('app', [{}], aliases());
    expect(await bench.edges.redirectProblem(spec)).toBeUndefined();
    const report = await underLoad(async () => {
      await bench.edges.install(spec, [await bench.target(old)], never);
      await bench.edges.redirect(project.name, 'app', never);
      // Again: a run that was killed begins anew.
      await bench.edges.redirect(project.name, 'app', never);
      expect(await bench.edges.find(project.name, 'app')).toMatchObject({
        open: false,
        takeover: true,
        redirected: true,
      });
      const fresh = await replace();
      await bench.engine.stopContainer(old);
      await bench.edges.open(project.name, 'app', never);
      await bench.edges.endRedirect(project.name, 'app');
      await bench.edges.endTakeover(project.name, 'app', 5_000, never);
      const router = await bench.router('app');
      await router.apply([await bench.target(fresh)], never);
    });
    expect(report.failures, report.firstFailures.join('\n')).toEqual({});
    expect(report.lastVersion).toBe('2.0.0');
    expect(await bench.edges.find(project.name, 'app')).toMatchObject({
      open: true,
      takeover: false,
      redirected: false,
    });
    expect(await rules()).toBe('');
  });

  it('costs the time in which a port changes hands where the host does not', async () => {
    const spec = bench.spec('app', [{}], aliases());
    const report = await underLoad(async () => {
      await bench.edges.install(spec, [await bench.target(old)], never);
      const fresh = await replace();
      await bench.engine.stopContainer(old);
      await bench.edges.open(project.name, 'app', never);
      await bench.edges.endTakeover(project.name, 'app', 5_000, never);
      await (await bench.router('app')).apply([await bench.target(fresh)], never);
    });
    console.log(
      `take-over without a redirect: ${report.failed} of ${report.requests} failed, gap ${report.longestGapMs} ms`,
    );
    expect(report.failed).toBeGreaterThan(0);
    expect(report.longestGapMs).toBeLessThan(5_000);
    expect(report.lastVersion).toBe('2.0.0');
  });

  it('gives the port back without a failed new connection, and leaves nothing', async () => {
    const spec = bench.spec('app', [{}], aliases());
    await bench.edges.install(spec, [await bench.target(old)], never);
    const fresh = await replace();
    await bench.engine.stopContainer(old);
    await bench.edges.open(project.name, 'app', never);
    await bench.edges.endTakeover(project.name, 'app', 1_000, never);
    const router = await bench.router('app');
    await router.apply([await bench.target(fresh)], never);
    const report = await underLoad(async () => {
      await bench.edges.close(project.name, 'app', never);
      expect(await bench.edges.find(project.name, 'app')).toMatchObject({
        open: false,
        takeover: true,
        redirected: true,
      });
      await bench.engine.startContainer(old);
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      await bench.edges.endRedirect(project.name, 'app');
      await bench.edges.endTakeover(project.name, 'app', 5_000, never);
      await bench.edges.remove(project.name, 'app');
    });
    expect(report.failures, report.firstFailures.join('\n')).toEqual({});
    expect(report.lastVersion).toBe('1.0.0');
    expect(await bench.edges.find(project.name, 'app')).toBeUndefined();
    expect(await rules()).toBe('');
    expect(
      await docker(
        'ps',
        '-aq',
        '--filter',
        'label=rolling-restart.edge',
        '--filter',
        `label=rolling-restart.project=${project.name}`,
      ),
    ).toBe('');
    expect(
      await docker(
        'volume',
        'ls',
        '-q',
        '--filter',
        `label=rolling-restart.project=${project.name}`,
        '--filter',
        'label=rolling-restart.service=app',
      ),
    ).toBe('');
  });
});
