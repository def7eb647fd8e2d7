import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerInspectInfo } from 'dockerode';
import { afterEach, describe, expect, it } from 'vitest';
import { docker, until } from '../support/engine-containers.js';
import { badReleases, deploy, excerptOf, expectBack, expectUntouched, liveOf, update } from '../support/live.js';
import { makeProject, type Fixture, type Project } from '../support/project.js';
import { served } from '../support/served.js';

let project: Project | undefined;

async function make(fixture: Fixture, files: Record<string, string> = {}): Promise<Project> {
  project = await makeProject({ fixture, files });
  return project;
}

afterEach(async () => {
  await project?.cleanup();
  project = undefined;
});

describe('the first deploy', () => {
  it('works with nothing running; a bad one leaves container and log, and says that there is nothing to go back to', async () => {
    const made = await make('plain', { 'compose.yaml': served() });
    await made.commitRelease({ version: '1.0.1', chaos: 'exit-at-once' });
    const bad = await update(made, 'app');
    expect(bad.report, bad.log).toMatchObject({ outcome: 'failed', changed: true });
    expect(bad.report.error?.code).toBe('E_NOT_READY');
    expect(excerptOf(bad)).toContain('chaos: ending with code 1');
    const left = await made.inspect('app');
    expect(left.Image).toBe(await docker('image', 'inspect', '--format', '{{.Id}}', left.Config.Image));
    expect(await docker('logs', left.Id)).toContain('chaos: ending with code 1');
    const steps = bad.report.nextSteps.join('\n');
    expect(steps).toContain('nothing to go back to');
    expect(steps).not.toContain('rollback-to');
    // No release is live; the one that failed is marked as bad.
    expect(bad.report.services[0]?.release).toBeUndefined();
    expect(await badReleases(made, 'app')).toHaveLength(1);

    // The same commit again would be the same outage again.
    const again = await update(made, 'app');
    expect(again.report.outcome, again.log).toBe('refused');
    expect(await made.containerId('app')).toBe(left.Id);

    const commit = await made.commitRelease({ version: '1.0.2' });
    const { report } = await deploy(made, 'app');
    expect((await made.get('/')).text).toContain('1.0.2');
    const live = await liveOf(made, 'app');
    expect(live).toMatchObject({ commit, image: live.named, release: report.services[0]?.release });
    // What failed is nothing to go back to: the next failure does not bring it back.
    expect(report.services[0]?.previousRelease).toBeUndefined();
  });
});

describe('a service that is not well', () => {
  it.each([
    ['crash-after:2s', ({ RestartCount }) => RestartCount > 3],
    ['unhealthy-after:3s', ({ State }) => State.Health?.Status === 'unhealthy'],
  ] satisfies [string, (seen: ContainerInspectInfo) => boolean][])(
    '%s: the update warns, goes on, and is its fix',
    async (chaos, notWell) => {
      const made = await make('plain', { 'compose.yaml': served() });
      await made.commitRelease({ version: '1.0.1', chaos });
      await deploy(made, 'app');
      await until('it is not well', async () => notWell(await made.inspect('app')));
      const sick = await made.containerId('app');
      await made.commitRelease({ version: '1.0.2' });
      const { log } = await deploy(made, 'app');
      expect(log).toContain('the change may be its fix');
      expect(await made.containerId('app')).not.toBe(sick);
      await made.waitUntilHealthy('app');
      expect((await made.get('/')).text).toContain('1.0.2');
    },
  );
});

describe('a service without a health check', () => {
  it('is ready when it stays up, with a low warning that leads to nothing; a bad release is rolled back', async () => {
    const made = await make('plain');
    const answer = async (): Promise<string> => {
      const url = await made.containerUrl(await made.containerId('app'));
      return (await made.get(url)).text;
    };
    // Whatever on-warning says: that there is no health check is nothing against a release.
    const { report } = await deploy(made, 'app', { 'on-warning': 'rollback', watch: '1s' });
    const note = { sign: 'no-health-check', severity: 'low', action: 'warn' };
    expect(report.warnings).toMatchObject([note]);
    expect(await answer()).toContain('1.0.0');
    const before = await liveOf(made, 'app');

    await made.commitRelease({ version: '1.0.1', chaos: 'exit-at-once' });
    const bad = await update(made, 'app', { 'on-warning': 'rollback' });
    expect(bad.report.outcome, bad.log).toBe('rolled-back');
    await expectBack(made, 'app', before, bad.log);
    expect(await answer()).toContain('1.0.0');
    expect(bad.report.error?.message).toContain('exited with code 1');
  });
});

describe('a service with three replicas', () => {
  it('is replaced as three, left alone as three, and comes back as three', async () => {
    const made = await make('replicas');
    const versions = async (): Promise<readonly string[]> => {
      const ids = await made.containerIds('app');
      const answers = ids.map(async (id) => (await made.get(await made.containerUrl(id))).text.split(' ')[0] ?? '');
      return Promise.all(answers);
    };
    await deploy(made, 'app');
    const first = await made.containerIds('app');
    expect(await versions()).toEqual(['1.0.0', '1.0.0', '1.0.0']);

    await made.commitRelease({ version: '1.0.1' });
    const { report } = await deploy(made, 'app');
    expect(report.services[0]?.downtimeMs).toBeGreaterThan(0);
    const second = await made.containerIds('app');
    expect(await versions()).toEqual(['1.0.1', '1.0.1', '1.0.1']);
    expect(second.filter((id) => first.includes(id))).toEqual([]);

    const same = await update(made, 'app');
    expect(same.report.outcome, same.log).toBe('unchanged');
    expect(await made.containerIds('app')).toEqual(second);

    await made.commitRelease({ version: '1.0.2', chaos: 'exit-at-once' });
    const bad = await update(made, 'app');
    expect(bad.report.outcome, bad.log).toBe('rolled-back');
    expect(await versions()).toEqual(['1.0.1', '1.0.1', '1.0.1']);

    // One of three is gone: not the same as what is wanted, although what is left is well.
    const [, , third] = await made.containerIds('app');
    await docker('rm', '--force', third ?? '');
    await made.commitRelease({ version: '1.0.3' });
    await deploy(made, 'app');
    expect(await versions()).toEqual(['1.0.3', '1.0.3', '1.0.3']);
  });
});

describe('a service whose source is mounted live', () => {
  it('is named in the plan; an update works, and a rollback brings the files of before back', async () => {
    const made = await make('live-mount');
    const source = join(made.dir, 'app', 'release.json');
    await deploy(made, 'app');
    await made.commitRelease({ version: '1.0.1' });
    const { report } = await deploy(made, 'app');
    expect(report.plan?.services[0]?.notes.join('\n')).toMatch(/Mounted live from the checkout: .*\bapp\b/);
    expect((await made.get('/')).text).toContain('1.0.1');
    expect(await readFile(source, 'utf8')).toContain('1.0.1');
    const before = await liveOf(made, 'app');

    await made.commitRelease({ version: '1.0.2', chaos: 'fail-requests:100%' });
    const bad = await update(made, 'app', { 'smoke-test': 'wget -q -O - "$ROLLING_RESTART_URL" || exit 1' });
    expect(bad.report.outcome, bad.log).toBe('rolled-back');
    await expectBack(made, 'app', before, bad.log);
    expect(await readFile(source, 'utf8')).toContain('1.0.1');
    expect((await made.get('/')).text).toContain('1.0.1');
    expect((await made.get('/file?path=/app/release.json')).text).toContain('1.0.1');

    // Nothing is mounted from a worktree that is gone with its run.
    const { Mounts } = await made.inspect('app');
    expect(Mounts.map((mount) => mount.Source).sort()).toEqual([join(made.dir, '.env'), join(made.dir, 'app')]);
    const now = await liveOf(made, 'app');
    await made.commitRelease({ version: '1.0.1', message: 'As it was' });
    const same = await update(made, 'app');
    expect(same.report.outcome, same.log).toBe('unchanged');
    await expectUntouched(made, 'app', now, same.log);
  });
});
