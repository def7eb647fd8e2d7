import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { EDGE_IMAGE } from '../support/edge.js';
import { docker } from '../support/engine-containers.js';
import type { LoadReport } from '../support/load.js';
import type { Run } from '../../src/run/run.js';
import { carryOut, type Carried } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';
import { underLoad, type UnderLoad } from '../support/under-load.js';

/**
 * The sample service exactly as it is, with its container name and its port of the host, started as a person does. What
 * follows is one story: each test goes on where the one before ended.
 */
let project: Project;
beforeAll(async () => {
  project = await makeProject({ fixture: 'roma' });
  await project.compose(['up', '-d', '--build']);
  await untilAnswered();
});
afterAll(() => project.cleanup());

/** Docker calls it healthy after its first check, which is half a minute away. */
async function untilAnswered(): Promise<void> {
  const answer = async (): Promise<number | undefined> => (await project.get('/health').catch(() => undefined))?.status;
  await vi.waitUntil(async () => (await answer()) === 200, { timeout: 20_000, interval: 100 });
}

const EDGE = { 'edge-image': EDGE_IMAGE, router: 'edge' };

function busy<Result>(work: () => Promise<Result>): Promise<UnderLoad<Result>> {
  const inside = { url: 'http://roma:3000/', network: `${project.name}_default` };
  return underLoad({ url: `${project.url}/`, slowUrl: `${project.url}/slow?ms=2000`, inside }, work);
}

const change = (inputs: Readonly<Record<string, string>>): Promise<UnderLoad<Carried>> =>
  busy(() => carryOut(project, { service: 'roma', ...EDGE, ...inputs }));

const told = ({ requests, failed, longestGapMs, slowestMs }: LoadReport): string =>
  `${failed} of ${requests} failed, longest gap ${longestGapMs} ms, slowest ${slowestMs} ms`;

describe('a service with a container name and a port of the host', () => {
  it('is taken over by the edge and updated in one go, with no new connection failed', async () => {
    await project.commitRelease({ version: '2.0.0' });
    const done = await change({ procedure: 'code-update', strategy: 'blue-green' });
    console.log(`new: ${told(done.fresh)}; kept: ${told(done.kept)}; inside: ${done.inside && told(done.inside)}`);
    expect(done.result.report.outcome, done.result.log).toBe('deployed');
    expect(done.fresh.failures, done.fresh.firstFailures.join('\n')).toEqual({});
    expect(done.fresh.slow.failures).toEqual({});
    // What is open on the old path when the port changes hands may break, and so may what asks the old container by its
    // name at the moment it stops. The plan says so.
    expect(done.kept.failed + (done.inside?.failed ?? 0), done.inside?.firstFailures.join('\n')).toBeLessThan(6);
    expect(done.result.log).toContain('inside');
    expect(done.fresh.lastVersion).toBe('2.0.0');
    expect(await docker('inspect', '--format', '{{.Name}}', await project.containerId('roma'))).toBe(
      `/${project.name}-roma-builder`,
    );
  });

  it('is left alone by a plain docker compose up -d, however a person types it', async () => {
    const before = await project.containerId('roma');
    const file = `${project.dir}/docker-compose.yml`;
    const ways = [
      ['up', '-d'],
      ['up', '-d', '--build'],
      ['-f', file, 'up', '-d'],
      ['--env-file', `${project.dir}/.env`, '-f', file, 'up', '-d', 'roma'],
      ['up', '-d', '--wait', '--no-deps', 'roma'],
      ['--project-directory', project.dir, '-f', file, 'up', '-d', '--remove-orphans'],
    ];
    for (const way of ways) {
      const { stderr } = await project.compose(way);
      expect(stderr, way.join(' ')).not.toMatch(/Recreat|Creat|error/i);
      expect(await project.containerId('roma'), way.join(' ')).toBe(before);
      expect((await project.get('/')).text, way.join(' ')).toContain('ROMA 2.0.0');
    }
    const { stdout } = await project.compose(['exec', '-T', 'roma', 'node', '-p', '40 + 2']);
    expect(stdout.trim()).toBe('42');
    expect((await project.compose(['logs', 'roma'])).stdout).toContain('listens on port 3000');
  });

  it('is down after a plain up --force-recreate, as check says, and comes back with the next update', async () => {
    const { exitCode, stderr } = await project.compose(['up', '-d', '--force-recreate'], { mayFail: true });
    expect(exitCode, stderr).not.toBe(0);
    expect(stderr).toMatch(/port is already allocated|address already in use/);
    const checked = await carryOut(project, { procedure: 'check', service: 'roma', 'edge-image': EDGE_IMAGE });
    expect(checked.report.nextSteps.join('\n'), checked.log).toContain('was made by plain docker compose');
    const repaired = await carryOut(project, { procedure: 'code-update', service: 'roma', ...EDGE });
    expect(repaired.report.outcome, repaired.log).toBe('deployed');
    expect((await project.get('/')).text).toContain('ROMA 2.0.0');
    const again = await carryOut(project, { procedure: 'check', service: 'roma', 'edge-image': EDGE_IMAGE });
    expect(again.report.nextSteps, again.log).toEqual([]);
  });

  it('gives its ports back, and is as it was before the edge', async () => {
    const done = await change({ procedure: 'eject' });
    console.log(`new: ${told(done.fresh)}; kept: ${told(done.kept)}; inside: ${done.inside && told(done.inside)}`);
    expect(done.result.report.outcome, done.result.log).toBe('deployed');
    expect(done.fresh.failures, done.fresh.firstFailures.join('\n')).toEqual({});
    expect(done.inside?.failed ?? 0, done.inside?.firstFailures.join('\n')).toBeLessThan(6);
    const before = await project.containerId('roma');
    const { stderr } = await project.compose(['up', '-d']);
    expect(stderr).not.toMatch(/Recreat|Creat/);
    expect(await project.containerId('roma')).toBe(before);
    const left = ['ps', '-aq', '--filter', `label=rolling-restart.project=${project.name}`];
    expect(await docker(...left, '--filter', 'label=rolling-restart.edge')).toBe('');
    expect(done.fresh.slow.failures).toEqual({});
  });
});

describe('on a host that cannot redirect ports', () => {
  it('says before what the take-over costs, and afterwards what it has cost', async () => {
    const without = (run: Run): Run => ({
      ...run,
      edges: { ...run.edges, redirectProblem: () => Promise.resolve('there is no iptables on the host') },
    });
    await project.commitRelease({ version: '3.0.0' });
    const done = await busy(() =>
      carryOut(
        project,
        { procedure: 'code-update', service: 'roma', ...EDGE, strategy: 'blue-green' },
        { host: without },
      ),
    );
    const { report, log } = done.result;
    expect(report.outcome, log).toBe('deployed');
    expect(log).toContain('the ports cannot be redirected here (there is no iptables on the host)');
    const downtimeMs = report.services[0]?.downtimeMs ?? 0;
    console.log(`reported ${downtimeMs} ms; new: ${told(done.fresh)}`);
    expect(done.fresh.failed).toBeGreaterThan(0);
    expect(downtimeMs).toBeGreaterThan(0);
    // As clients saw it, give or take their own clock.
    expect(downtimeMs).toBeGreaterThan(done.fresh.longestGapMs * 0.5);
    expect(downtimeMs).toBeLessThan(done.fresh.longestGapMs * 2);
    expect(done.fresh.lastVersion).toBe('3.0.0');
  });
});
