import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EDGE_IMAGE } from '../support/edge.js';
import { openDoor } from '../support/doors.js';
import { docker } from '../support/engine-containers.js';
import { deploy, update } from '../support/live.js';
import { carryOut } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';
import { failuresOf, underLoad } from '../support/under-load.js';

/** Only one container may have the volume. */
const COMPOSE = `services:
  app:
    build:
      context: .
      args:
        BASE_IMAGE: \${BASE_IMAGE:-node:22-alpine}
    container_name: \${COMPOSE_PROJECT_NAME}-only
    ports: ['\${HOST_PORT}:8080']
    volumes: ['data:/data']
    healthcheck:
      test: ['CMD', 'wget', '-q', '-O', '/dev/null', 'http://127.0.0.1:8080/health']
      interval: 1s
    stop_grace_period: 3s
volumes:
  data:
`;

let project: Project;
beforeAll(async () => {
  project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': COMPOSE } });
  await deploy(project, 'app', { strategy: 'recreate' });
  await project.commitRelease({ version: '1.1.0' });
  await deploy(project, 'app', HOLD);
});
afterAll(() => project.cleanup());

const HOLD = { 'edge-image': EDGE_IMAGE, router: 'edge', strategy: 'hold' };
const RATES = { fresh: 60, kept: 40 };

describe('a service that may run only once, behind the edge', () => {
  it('is not held unasked: auto says what it costs, and what would be better', async () => {
    await project.commitRelease({ version: '1.2.0' });
    const planned = await update(project, 'app', { ...HOLD, strategy: 'auto', 'dry-run': 'true' });
    expect(planned.report.plan?.services[0]?.strategy, planned.log).toBe('recreate');
    expect(planned.log).toContain('strategy: hold');
  });

  it('keeps requests waiting while its container is replaced, and fails none', async () => {
    await project.commitRelease({ version: '2.0.0', chaos: 'slow-boot:1s' });
    const inside = { url: 'http://app:8080/', network: `${project.name}_default` };
    const done = await underLoad({ url: project.url, rates: RATES, inside }, () => deploy(project, 'app', HOLD));
    expect(failuresOf(done), done.result.log).toEqual({});
    expect(done.fresh.lastVersion).toBe('2.0.0');
    // They waited, and not for long.
    expect(done.fresh.slowestMs).toBeGreaterThan(1_000);
    expect(done.fresh.slowestMs).toBeLessThan(8_000);
  });

  it('answers what has waited too long with 503, and goes back to what ran', async () => {
    await project.commitRelease({ version: '3.0.0', chaos: 'exit-at-once' });
    const done = await underLoad({ url: project.url, rates: RATES }, () => update(project, 'app', HOLD));
    expect(done.result.report.outcome, done.result.log).toBe('rolled-back');
    expect(done.fresh.lastVersion).toBe('2.0.0');
    for (const kind of Object.keys(done.fresh.failures)) expect(kind).toBe('status 503');
  });

  it('has its port again after a killed eject is undone, and after one that is carried out, never running twice', async () => {
    const inputs = { procedure: 'eject', service: 'app', 'edge-image': EDGE_IMAGE };
    const before = await project.containerId('app');
    const killed = openDoor(project, 'main', inputs);
    await killed.said('✓ stop');
    await killed.kill();
    const repair = openDoor(project, 'post', inputs, killed.state());
    await repair.ended;
    expect(repair.output()).toContain('the edge has its ports again');
    expect(await project.containerId('app')).toBe(before);
    expect((await project.get('/')).text).toContain('2.0.0');

    let most = 0;
    const sampling = setInterval(() => {
      const filters = ['--filter', `label=com.docker.compose.project=${project.name}`, '--filter', 'status=running'];
      void docker('ps', '-q', ...filters).then(
        (ids) => (most = Math.max(most, ids.split('\n').filter(Boolean).length)),
      );
    }, 100);
    const done = await underLoad({ url: project.url, rates: RATES }, () => carryOut(project, inputs)).finally(() =>
      clearInterval(sampling),
    );
    expect(done.result.report.outcome, done.result.log).toBe('deployed');
    expect(done.fresh.failures, done.fresh.firstFailures.join('\n')).toEqual({});
    expect(most).toBe(1);
    expect(await project.containerId('app')).not.toBe(before);
    expect((await project.get('/')).text).toContain('2.0.0');
    const left = ['ps', '-aq', '--filter', `label=rolling-restart.project=${project.name}`];
    expect(await docker(...left, '--filter', 'label=rolling-restart.edge')).toBe('');
  });
});
