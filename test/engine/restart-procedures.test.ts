import { readdir, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRegistry } from '../../scripts/lib/registry.mjs';
import { BASE_IMAGE, docker } from '../support/engine-containers.js';
import { ledgerOf } from '../support/live.js';
import { makeOwnBase } from '../support/own-image.js';
import { carryOut, type Carried } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';

/** One project; each test goes on from where the one before left it. */
describe('the same release again', () => {
  let project: Project;
  let release = '';

  beforeAll(async () => {
    project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': served() } });
    const { report, log } = await carryOut(project, { procedure: 'code-update', service: 'app' });
    expect(report.outcome, log).toBe('deployed');
    release = report.services[0]?.release ?? '';
  });

  afterAll(async () => {
    await project.cleanup();
  });

  it('health-restart: the same container, its writable layer kept, verified and watched', async () => {
    const before = await project.inspect('app');
    await docker('exec', before.Id, 'sh', '-c', 'echo kept > /tmp/kept; echo ERROR it is degraded > /proc/1/fd/1');
    const { report, log } = await carryOut(project, {
      procedure: 'health-restart',
      service: 'app',
      watch: '2s',
      'smoke-test': `wget -q -O /dev/null http://127.0.0.1:${project.port}/`,
    });
    expect(report.outcome, log).toBe('deployed');
    const after = await project.inspect('app');
    expect(after.Id).toBe(before.Id);
    expect(after.State.StartedAt > before.State.StartedAt).toBe(true);
    expect((await project.get('/file?path=/tmp/kept')).text).toBe('kept\n');
    expect(log).toContain('✓ smoke-test');
    // Why it is restarted, as it was before: resource use, and the errors of the last minutes.
    expect(log).toContain('│ ERROR it is degraded');
    const [table] = report.findings.filter(({ title }) => title.startsWith('Containers of app, before'));
    expect(table?.columns.slice(4, 7)).toEqual(['Memory', 'CPU', 'Error lines (5 min)']);
    expect(table?.rows[0]?.slice(4, 7)).toEqual([
      expect.stringMatching(/^[\d.]+ [kMG]B$/) as string,
      expect.stringMatching(/^[\d.]+ %$/) as string,
      '1',
    ]);
    // The plan names what a new container would not have.
    expect(report.plan?.services[0]?.notes.join('\n')).toContain('/tmp/kept');
    expect(report.services[0]).toMatchObject({ service: 'app', release });
    expect(report.services[0]?.downtimeMs).toBeGreaterThan(0);
  });

  it('health-restart stays in place where the strategy that is asked for cannot be had, and says why', async () => {
    const before = await project.containerId('app');
    const { report, log } = await carryOut(project, {
      procedure: 'health-restart',
      service: 'app',
      strategy: 'blue-green',
    });
    expect(report.outcome, log).toBe('deployed');
    expect(await project.containerId('app')).toBe(before);
    expect(report.plan?.services[0]?.notes.join('\n')).toMatch(/Restarted in place \(.*port/);
  });

  it('health-restart of a service that stays broken is red, and says what runs', async () => {
    const { report, log } = await carryOut(project, {
      procedure: 'health-restart',
      service: 'app',
      'smoke-test': 'echo no good >&2; exit 3',
    });
    expect(report.outcome, log).toBe('failed');
    // The same container runs the same release, started again.
    expect(report.changed).toBe(false);
    expect(report.error?.code).toBe('E_COMMAND');
    await project.waitUntilHealthy('app');
  });

  it('emergency: a service that is frozen is captured, killed, removed and started afresh', async () => {
    const before = await project.inspect('app');
    await docker('exec', before.Id, 'sh', '-c', 'kill -STOP 1; echo lost > /tmp/lost');
    await docker('kill', '--signal', 'STOP', before.Id);
    await expect(project.get('/', 700)).rejects.toThrow();
    const planned = await carryOut(project, { procedure: 'emergency', service: 'app', 'dry-run': 'true' });
    expect(planned.report.plan?.services[0]?.notes.join('\n')).toMatch(/layer holds is lost: .*\/tmp\/lost\./);
    const { report, log } = await carryOut(project, { procedure: 'emergency', service: 'app' });
    expect(report.outcome, log).toBe('deployed');
    const after = await project.inspect('app');
    expect(after.Id).not.toBe(before.Id);
    expect(after.Image).toBe(before.Image);
    expect((await project.get('/')).text).toMatch(/^1\.0\.0 /);
    expect((await project.get('/file?path=/tmp/lost')).status).toBe(500);
    expect(log).toMatch(/what only its writable layer holds is lost: .*\/tmp\/lost\./);
    expect(await gone(before.Id)).toBe(true);
    const evidence = (await readdir(report.evidencePath ?? '', { recursive: true })).join('\n');
    expect(evidence).toMatch(/before.*inspect\.json$/m);
    expect(evidence).toMatch(/before.*log\.txt$/m);
    await project.compose(['up', '-d', '--no-build']);
    expect(await project.containerId('app')).toBe(after.Id);
  });

  it('emergency: a paused container, and one that exited, as well', async () => {
    for (const harm of [['pause'], ['stop', '--time', '0']]) {
      const before = await project.containerId('app');
      await docker(...harm, before);
      const { report, log } = await carryOut(project, { procedure: 'emergency', service: 'app' });
      expect(report.outcome, log).toBe('deployed');
      expect(await project.containerId('app')).not.toBe(before);
      expect((await project.get('/')).text).toMatch(/^1\.0\.0 /);
    }
  });

  it('emergency: containers that somebody removed come back from the ledger', async () => {
    await docker('rm', '--force', await project.containerId('app'));
    const { report, log } = await carryOut(project, { procedure: 'emergency', service: 'app' });
    expect(report.outcome, log).toBe('deployed');
    expect((await project.get('/')).text).toMatch(/^1\.0\.0 /);
  });

  it('health-restart that finds nothing to restart says so, and is no deploy', async () => {
    const store =
      "services:\n  store:\n    image: ${BASE_IMAGE}\n    command: sleep infinity\n    volumes: ['data:/data']\nvolumes:\n  data:\n";
    const stateful = await makeProject({ fixture: 'plain', files: { 'compose.yaml': store } });
    try {
      await stateful.compose(['up', '-d']);
      const before = await stateful.inspect('store');
      const { report, log } = await carryOut(stateful, { procedure: 'health-restart' });
      expect(report.outcome, log).toBe('unchanged');
      expect(report.changed).toBe(false);
      expect(report.headline).toContain('when `service` names them');
      expect((await stateful.inspect('store')).State.StartedAt).toBe(before.State.StartedAt);
    } finally {
      await stateful.cleanup();
    }
  });

  it('health-restart compares memory with what the service needed before', async () => {
    const restart = (more: Readonly<Record<string, string>> = {}): Promise<Carried> =>
      carryOut(project, { procedure: 'health-restart', service: 'app', watch: '0s', ...more });
    const usual = await restart();
    expect(usual.report.outcome, usual.log).toBe('deployed');
    expect(usual.report.warnings).toEqual([]);
    expect(JSON.stringify(usual.report.timeline)).toMatch(/memory [^"]+, within its baseline \(/);
    // As if it had needed next to nothing in its past.
    const ledger = await ledgerOf(project);
    const [row] = await ledger.sloRecords('app');
    if (row === undefined) throw new Error('no record of what the first run cost');
    for (let past = 0; past < 9; past += 1)
      await ledger.addSloRecord({ ...row, outcome: 'deployed', memoryBytes: 1e6 });
    await project.commitRelease({ version: '2.0.0', chaos: 'leak:30MB/s' });
    const leaking = await carryOut(project, { procedure: 'code-update', service: 'app', watch: '0s' });
    expect(leaking.report.outcome, leaking.log).toBe('deployed');
    const above = await restart({ watch: '3s' });
    expect(above.report.outcome, above.log).toBe('deployed');
    expect(above.report.warnings).toMatchObject([
      {
        sign: 'memory-baseline',
        severity: 'medium',
        action: 'warn',
        message: expect.stringMatching(/above its baseline/) as string,
      },
    ]);
    const refused = await restart({ watch: '3s', 'on-warning': 'fail' });
    expect(refused.report.outcome, refused.log).toBe('failed');
    expect(refused.report.error?.code).toBe('E_WARNING_SIGN');
  });
});

describe('maintenance', () => {
  it('recreates what is unchanged as well, and takes the base image that the registry has now', async () => {
    const registry = await startRegistry();
    const base = `${registry.address}/rr-base:latest`;
    const project = await makeProject({
      fixture: 'plain',
      files: { 'compose.yaml': served() },
      env: { BASE_IMAGE: base },
    });
    let patchedBase = '';
    try {
      await makeOwnBase(base);
      await docker('push', '--quiet', base);
      const first = await carryOut(project, { procedure: 'code-update', service: 'app' });
      expect(first.report.outcome, first.log).toBe('deployed');
      const before = await project.inspect('app');

      const same = await carryOut(project, { procedure: 'maintenance', service: 'app' });
      expect(same.report.outcome, same.log).toBe('deployed');
      const recreated = await project.inspect('app');
      expect(recreated.Id).not.toBe(before.Id);
      expect(recreated.Image).toBe(before.Image);
      await project.compose(['up', '-d', '--no-build']);
      expect(await project.containerId('app')).toBe(recreated.Id);

      // A patched base image, known to the registry only.
      await writeFile(`${project.root}/Dockerfile`, `FROM ${BASE_IMAGE}\nRUN echo patched > /patched\n`);
      patchedBase = await docker('build', '--quiet', '--tag', base, project.root);
      await docker('push', '--quiet', base);
      await makeOwnBase(base);
      const patched = await carryOut(project, { procedure: 'maintenance', service: 'app' });
      expect(patched.report.outcome, patched.log).toBe('deployed');
      expect((await project.get('/file?path=/patched')).text).toBe('patched\n');
      expect((await project.get('/')).text).toMatch(/^1\.0\.0 /);
    } finally {
      await registry.stop();
      await project.cleanup();
      for (const image of [base, patchedBase]) await docker('rmi', '--force', image).catch(() => undefined);
    }
  });
});

async function gone(id: string): Promise<boolean> {
  return (await docker('ps', '-aq', '--no-trunc')).split('\n').every((one) => one !== id);
}
