import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDoor } from '../support/doors.js';
import { docker } from '../support/engine-containers.js';
import { carryOut } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';

/** `app`, which Docker always restarts, and `side`, which depends on it. */
const COMPOSE = `${served({ more: '    volumes: [data:/data]\n' }).replace('restart: unless-stopped', 'restart: always')}
  side:
    image: \${COMPOSE_PROJECT_NAME}-app
    depends_on: [app]
    stop_grace_period: 1s
volumes:
  data:
`;

/** One project; each test goes on from where the one before left it. */
describe('a service that is stopped on purpose', () => {
  let project: Project;

  beforeAll(async () => {
    project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': COMPOSE } });
    await project.compose(['build']);
    const { report, log } = await carryOut(project, { procedure: 'code-update', service: 'app,side' });
    expect(report.outcome, log).toBe('deployed');
  });

  afterAll(async () => {
    await project.cleanup();
  });

  it('a dry run shows what stopping does and costs, and stops nothing', async () => {
    const { report, log } = await carryOut(project, { procedure: 'stop', service: 'app', 'dry-run': 'true' });
    expect(report.outcome, log).toBe('completed');
    expect(report.plan?.services[0]?.operations.map(({ kind }) => kind)).toEqual([
      'capture-evidence',
      'record-stop',
      'set-restart-policy',
      'stop-containers',
      'verify',
    ]);
    expect(log).toContain('side depend on it');
    expect((await project.get('/')).status).toBe(200);
  });

  it('stays stopped: Docker itself does not start it, check shows who and why, and its containers stay', async () => {
    const before = await project.inspect('app');
    expect(before.HostConfig.RestartPolicy?.Name).toBe('always');
    const { report, log } = await carryOut(project, {
      procedure: 'stop',
      service: 'app',
      reason: 'it writes nonsense into the database',
    });
    expect(report, log).toMatchObject({ outcome: 'completed', changed: true });
    const after = await project.inspect('app');
    expect(after).toMatchObject({ Id: before.Id, State: { Status: 'exited' } });
    expect(after.HostConfig.RestartPolicy?.Name).toBe('unless-stopped');
    await expect(project.get('/', 500)).rejects.toThrow();

    const check = await carryOut(project, { procedure: 'check' });
    expect(check.report.headline).toContain('app is stopped on purpose since');
    expect(check.report.headline).toContain('it writes nonsense into the database');
    expect(check.report.headline, check.log).not.toContain('to look at');

    const again = await carryOut(project, { procedure: 'stop', service: 'app' });
    expect(again.report, again.log).toMatchObject({ outcome: 'unchanged', changed: false });
  });

  it('a deploy that names it is refused, also as a dry run, and one of everything leaves it alone and says so', async () => {
    const stopped = await project.containerId('app');
    await project.commitRelease({ version: '2.0.0' });
    for (const extra of [{}, { 'dry-run': 'true' }]) {
      const { report, log } = await carryOut(project, { procedure: 'code-update', service: 'app', ...extra });
      expect(report.outcome, log).toBe('refused');
      expect(report.error?.message).toContain('is stopped on purpose');
      expect(report.error?.next).toContain('procedure start');
    }
    const restart = await carryOut(project, { procedure: 'health-restart', service: 'app' });
    expect(restart.report.outcome, restart.log).toBe('refused');

    const all = await carryOut(project, { procedure: 'code-update' });
    expect(['deployed', 'unchanged'], all.log).toContain(all.report.outcome);
    expect(all.report.services.map(({ service }) => service)).toEqual(['side']);
    expect(all.report.nextSteps.join('\n')).toContain('app is stopped on purpose');
    expect(await project.inspect('app')).toMatchObject({ Id: stopped, State: { Status: 'exited' } });
  });

  it('start brings the same container and release back, verified, as Compose made it', async () => {
    const stopped = await project.inspect('app');
    const { report, log } = await carryOut(project, { procedure: 'start', service: 'app' });
    expect(report, log).toMatchObject({ outcome: 'deployed', changed: true });
    const started = await project.inspect('app');
    expect(started).toMatchObject({ Id: stopped.Id, State: { Status: 'running' } });
    expect(started.HostConfig.RestartPolicy?.Name).toBe('always');
    expect((await project.get('/')).text).toMatch(/^1\.0\.0 /);
    const again = await carryOut(project, { procedure: 'start', service: 'app' });
    expect(again.report, again.log).toMatchObject({ outcome: 'unchanged', changed: false });
  });

  it('force kills; a start that fails stops it again, and names what was wrong', async () => {
    const killed = await carryOut(project, { procedure: 'stop', service: 'app', force: 'true' });
    expect(killed.report.outcome, killed.log).toBe('completed');
    expect((await project.inspect('app')).State).toMatchObject({ Status: 'exited', ExitCode: 137 });

    const { report, log } = await carryOut(project, {
      procedure: 'start',
      service: 'app',
      'smoke-test': 'echo no good >&2; exit 3',
    });
    expect(report, log).toMatchObject({ outcome: 'failed', changed: false, error: { code: 'E_COMMAND' } });
    expect((await project.inspect('app')).State.Status).toBe('exited');
    const refused = await carryOut(project, { procedure: 'code-update', service: 'app' });
    expect(refused.report.outcome, refused.log).toBe('refused');
  });

  it('force deploys it all the same, says who and why, and the stop is over', async () => {
    const { report, log } = await carryOut(project, {
      procedure: 'code-update',
      service: 'app',
      force: 'true',
      reason: 'the fix is in 2.0.0',
    });
    expect(report.outcome, log).toBe('deployed');
    expect(report.checklists.length).toBeGreaterThan(0);
    expect(log).toContain('passed because of force');
    expect((await project.get('/')).text).toMatch(/^2\.0\.0 /);
    await project.compose(['stop', 'app']);
    const stoppedByHand = await carryOut(project, { procedure: 'code-update', service: 'app' });
    expect(stoppedByHand.report.outcome, stoppedByHand.log).toBe('deployed');
  });

  it('a stop that is killed half-way is finished by post; an emergency starts it all the same', async () => {
    await docker('kill', '--signal', 'STOP', await project.containerId('app'));
    const door = openDoor(project, 'main', { procedure: 'stop', service: 'app' });
    await door.said(/✓ record that app is stopped/);
    await door.kill();
    const post = openDoor(project, 'post', { procedure: 'stop', service: 'app' }, door.state());
    expect(await post.ended, post.output()).toBe(0);
    expect(post.output()).toContain('it was being stopped on purpose, and is stopped');
    const next = await carryOut(project, { procedure: 'code-update', service: 'app' });
    expect(next.report.outcome, next.log).toBe('refused');
    expect((await project.inspect('app')).State.Status).toBe('exited');

    const { report, log } = await carryOut(project, { procedure: 'emergency', service: 'app' });
    expect(report.outcome, log).toBe('deployed');
    expect(log).toContain('it is started all the same');
    expect((await project.get('/')).text).toMatch(/^2\.0\.0 /);
    const unchanged = await carryOut(project, { procedure: 'code-update', service: 'app' });
    expect(unchanged.report.outcome, unchanged.log).toBe('unchanged');
  });

  it('full-restart: everything down and up, built anew, on new networks, with the data, verified and watched', async () => {
    const network = async (): Promise<string> =>
      docker('network', 'inspect', '--format', '{{.Id}}', `${project.name}_default`);
    const before = { network: await network(), app: await project.containerId('app') };
    await docker('exec', await project.containerId('app'), 'sh', '-c', 'echo kept > /data/kept');
    const dry = await carryOut(project, { procedure: 'full-restart', 'dry-run': 'true' });
    expect(dry.log).toContain('Every service is down at once');
    expect(dry.log).toContain('taken down in the order side, app, started in the order app, side');
    expect(dry.report.plan?.preparation.map(({ kind }) => kind)).toContain('remove-networks');
    expect(await network()).toBe(before.network);

    const { report, log } = await carryOut(project, { procedure: 'full-restart', watch: '1s' });
    expect(report.outcome, log).toBe('deployed');
    expect(await network()).not.toBe(before.network);
    expect(await project.containerId('app')).not.toBe(before.app);
    expect((await project.get('/')).text).toMatch(/^2\.0\.0 /);
    expect(await docker('exec', await project.containerId('app'), 'cat', '/data/kept')).toBe('kept');
    expect(report.services.map(({ service, outcome }) => [service, outcome])).toEqual([
      ['app', 'deployed'],
      ['side', 'deployed'],
    ]);
    expect(report.services[0]?.downtimeMs).toBeGreaterThan(0);
    const compose = await project.compose(['up', '-d', '--no-build']);
    expect(compose.stderr).not.toContain('Recreate');
  });

  it('full-restart with code that does not start: what has it goes back, and everything runs', async () => {
    await writeFile(`${project.dir}/app/release.json`, '{"version":"3.0.0","chaos":"exit-at-once"}\n');
    const { report, log } = await carryOut(project, { procedure: 'full-restart' });
    expect(report.outcome, log).toBe('rolled-back');
    expect((await project.get('/')).text).toMatch(/^2\.0\.0 /);
    await project.waitUntilHealthy('side');
    expect(report.services.map(({ service, outcome }) => [service, outcome])).toEqual([
      ['app', 'rolled-back'],
      ['side', 'rolled-back'],
    ]);
  });
});
