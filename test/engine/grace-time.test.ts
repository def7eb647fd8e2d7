import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WarningSign } from '../../src/model/policy.js';
import { EDGE_IMAGE } from '../support/edge.js';
import { docker } from '../support/engine-containers.js';
import { deploy, update } from '../support/live.js';
import { carryOut, type Carried } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';

const COMPOSE = served().replace('stop_grace_period: 2s', 'stop_grace_period: 1s');
const STOP_FIRST = `services:
  app:
    build:
      context: .
      args:
        BASE_IMAGE: \${BASE_IMAGE:-node:22-alpine}
    stop_grace_period: 1s
    deploy:
      replicas: 2
      update_config: { order: stop-first }
`;

const killed = ({ report }: Carried): readonly WarningSign[] =>
  report.warnings.filter(({ sign }) => sign === 'killed-after-grace');
const ONE = {
  severity: 'low',
  action: 'warn',
  service: 'app',
  message: 'a container did not stop within the grace time and was killed; handle SIGTERM or raise stop_grace_period',
};

/** One project whose service ignores SIGTERM; each test goes on from where the one before left it. */
describe('a stop that ends in SIGKILL after its grace time', () => {
  let project: Project;
  const run = (procedure: string, more: Readonly<Record<string, string>> = {}): Promise<Carried> =>
    carryOut(project, { procedure, ...(procedure === 'full-restart' ? {} : { service: 'app' }), ...more });

  beforeAll(async () => {
    project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': COMPOSE } });
    await project.commitRelease({ version: '1.1.0', chaos: 'ignore-sigterm' });
    await deploy(project, 'app');
  });

  afterAll(async () => {
    await project.cleanup();
  });

  it('is a sign of a restart in place, and only told: no failure would undo it', async () => {
    const before = await project.containerId('app');
    const carried = await run('health-restart', { 'on-warning': 'low: fail' });
    expect(carried.report.outcome, carried.log).toBe('deployed');
    expect(await project.containerId('app')).toBe(before);
    expect(killed(carried), carried.log).toMatchObject([ONE]);
  });

  it('is a sign of a stop, and none when a kill was asked for', async () => {
    const stopped = await run('stop');
    expect(stopped.report.outcome, stopped.log).toBe('completed');
    expect((await project.inspect('app')).State.ExitCode).toBe(137);
    expect(killed(stopped), stopped.log).toMatchObject([ONE]);
    expect((await run('start')).report.outcome).toBe('deployed');
    const asked = await run('stop', { force: 'true' });
    expect(asked.report.outcome, asked.log).toBe('completed');
    expect(killed(asked)).toEqual([]);
    expect((await run('start')).report.outcome).toBe('deployed');
  });

  it('is a sign of a full restart, which asks the health gate as the others do', async () => {
    const carried = await run('full-restart');
    expect(carried.report.outcome, carried.log).toBe('deployed');
    expect(killed(carried), carried.log).toMatchObject([ONE]);
    expect(carried.log).toContain('✓ gate health: app runs and is healthy');

    await docker('kill', await project.containerId('app'));
    const enforced = await run('full-restart', { gates: 'health=enforce' });
    expect(enforced.report, enforced.log).toMatchObject({ outcome: 'refused', changed: false });
    const warned = await run('full-restart');
    expect(warned.report.outcome, warned.log).toBe('deployed');
    expect(warned.log).toMatch(/gate health: \S+ is exited, health unhealthy; the change may be its fix/);
    expect(killed(warned), 'there was nothing to stop').toEqual([]);
  });

  it('is a sign of a replacement, and none once the service ends when it is asked to', async () => {
    await project.commitRelease({ version: '2.0.0' });
    const replaced = await update(project, 'app');
    expect(replaced.report.outcome, replaced.log).toBe('deployed');
    expect(killed(replaced), replaced.log).toMatchObject([ONE]);
    const graceful = await run('health-restart');
    expect(graceful.report.outcome, graceful.log).toBe('deployed');
    expect(killed(graceful), graceful.log).toEqual([]);
  });
});

it('is a sign of a rolling update that stops first', async () => {
  const project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': STOP_FIRST } });
  try {
    await project.commitRelease({ version: '1.1.0', chaos: 'ignore-sigterm' });
    await deploy(project, 'app');
    await project.commitRelease({ version: '2.0.0' });
    const carried = await update(project, 'app', { strategy: 'rolling' });
    expect(carried.report.outcome, carried.log).toBe('deployed');
    const kinds = carried.report.plan?.services[0]?.operations.map(({ kind }) => kind) ?? [];
    expect(kinds.indexOf('retire-containers')).toBeGreaterThan(-1);
    expect(kinds.indexOf('retire-containers')).toBeLessThan(kinds.indexOf('start-beside'));
    expect(killed(carried)[0], carried.log).toMatchObject(ONE);
  } finally {
    await project.cleanup();
  }
});

it('is a sign of a singleton that is stopped before the new one starts', async () => {
  const project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': COMPOSE } });
  const edge = { 'edge-image': EDGE_IMAGE, router: 'edge' };
  try {
    await deploy(project, 'app', { strategy: 'recreate' });
    await project.commitRelease({ version: '1.1.0', chaos: 'ignore-sigterm' });
    await deploy(project, 'app', { ...edge, strategy: 'blue-green' });
    await project.commitRelease({ version: '2.0.0' });
    const carried = await deploy(project, 'app', { ...edge, strategy: 'hold' });
    const kinds = carried.report.plan?.services[0]?.operations.map(({ kind }) => kind) ?? [];
    expect(kinds).toContain('stop-containers');
    expect(killed(carried), carried.log).toMatchObject([ONE]);
  } finally {
    await project.cleanup();
  }
});
