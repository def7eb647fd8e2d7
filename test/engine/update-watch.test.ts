import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { WarningSign } from '../../src/model/policy.js';
import { ticked } from '../support/checklist.js';
import { badReleases, deploy, excerptOf, expectBack, historyOf, liveOf, update, type Live } from '../support/live.js';
import type { Carried } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';
import { liveRelease } from '../../src/model/release.js';

/** Releases that are verified and go wrong while they are watched. */
describe('the watch', () => {
  let project: Project;
  let before: Live;
  let count = 1;

  const commit = (chaos = ''): Promise<string> => {
    count += 1;
    return project.commitRelease({ version: `1.0.${count}`, chaos });
  };
  const version = async (): Promise<string> => (await project.get('/')).text.split(' ')[0] ?? '';
  const signs = ({ report }: Carried, sign: WarningSign['sign']): readonly WarningSign[] =>
    report.warnings.filter((warning) => warning.sign === sign);

  beforeAll(async () => {
    project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': served() } });
    await deploy(project, 'app');
  });

  beforeEach(async () => {
    before = await liveOf(project, 'app');
  });

  afterAll(async () => {
    await project.cleanup();
  });

  it('sees a release crash that was healthy, and brings the one before back', async () => {
    await commit('crash-after:2s');
    const carried = await update(project, 'app', { watch: '30s' });
    expect(carried.report.outcome, carried.log).toBe('rolled-back');
    await expectBack(project, 'app', before, carried.log);
    expect(await version()).toBe('1.0.0');
    // It was live for as long as nothing was wrong, and the log said so at once.
    expect(carried.log).toMatch(
      /is live and verified; it is watched for 30 s[^]*exited with code 1 while it was watched/,
    );
    expect(carried.report.error?.code).toBe('E_WARNING_SIGN');
    expect(excerptOf(carried)).toContain('chaos: ending with code 1');
    expect(carried.report.durationMs).toBeLessThan(30_000);
    expect(signs(carried, 'exited')).toMatchObject([{ severity: 'high', action: 'rollback' }]);
    expect(await badReleases(project, 'app')).toHaveLength(1);
  });

  it('sees a release become unhealthy, and shows what its health check said', async () => {
    await commit('unhealthy-after:1s');
    const carried = await update(project, 'app', { watch: '45s' });
    expect(carried.report.outcome, carried.log).toBe('rolled-back');
    await expectBack(project, 'app', before, carried.log);
    expect(carried.report.durationMs).toBeLessThan(45_000);
    expect(signs(carried, 'unhealthy')).toHaveLength(1);
    expect(excerptOf(carried)).toContain('503');
  });

  it('rolls back for memory when on-warning says so', async () => {
    await commit('leak:30MB/s');
    const carried = await update(project, 'app', { watch: '4s', 'max-memory': '60MB', 'on-warning': 'rollback' });
    expect(carried.report.outcome, carried.log).toBe('rolled-back');
    await expectBack(project, 'app', before, carried.log);
    expect(signs(carried, 'memory')).toMatchObject([{ severity: 'medium', action: 'rollback' }]);
  });

  it('only warns of memory by default', async () => {
    await commit('leak:30MB/s');
    const carried = await update(project, 'app', { watch: '4s', 'max-memory': '60MB' });
    expect(carried.report.outcome, carried.log).toBe('deployed');
    expect(await version()).toBe(`1.0.${count}`);
    expect(signs(carried, 'memory')).toMatchObject([{ severity: 'medium', action: 'warn' }]);
    expect(carried.report.services[0]?.memoryBytes).toBeGreaterThan(60e6);
    await commit();
    await deploy(project, 'app');
  });

  it('rolls back for error lines when on-warning says so, although the release answers well', async () => {
    await commit('error-lines:5/s');
    const carried = await update(project, 'app', { watch: '4s', 'on-warning': 'medium: rollback' });
    expect(carried.report.outcome, carried.log).toBe('rolled-back');
    await expectBack(project, 'app', before, carried.log);
    expect(carried.report.error?.code).toBe('E_WARNING_SIGN');
    expect(carried.report.error?.message).toContain('error-lines:5/s');
    expect(signs(carried, 'error-lines')).toMatchObject([{ severity: 'medium', action: 'rollback' }]);
  });

  it('leaves it failed and live for error lines when on-warning says fail', async () => {
    await commit('error-lines:5/s');
    const carried = await update(project, 'app', { watch: '4s', 'on-warning': 'fail' });
    expect(carried.report, carried.log).toMatchObject({ outcome: 'failed', changed: true });
    expect(await version()).toBe(`1.0.${count}`);
    expect(carried.report.nextSteps.join('\n')).toContain(`rollback-to: release:${before.release}`);
    await commit();
    await deploy(project, 'app');
  });

  it('only warns of error lines by default, and compares them with those of the release before', async () => {
    await commit('error-lines:5/s');
    const carried = await update(project, 'app', { watch: '4s' });
    expect(carried.report.outcome, carried.log).toBe('deployed');
    expect(signs(carried, 'error-lines')).toMatchObject([{ severity: 'medium', action: 'warn' }]);
    expect(carried.report.services[0]?.errorLines).toBeGreaterThan(10);
    expect(signs(carried, 'error-lines')[0]?.message).toContain(
      `${carried.report.services[0]?.errorLines} error lines`,
    );
    expect(liveRelease(await historyOf(project, 'app'))?.id).toBe(carried.report.services[0]?.release);

    // As noisy as the one before: what would have led to a rollback does not now.
    await commit('error-lines:2/s');
    const noisy = await update(project, 'app', { watch: '2s', 'on-warning': 'medium: rollback' });
    expect(noisy.report.outcome, noisy.log).toBe('deployed');
    expect(signs(noisy, 'error-lines')).toMatchObject([{ severity: 'low', action: 'warn' }]);
    expect(signs(noisy, 'error-lines')[0]?.message).toContain('the release before');
  });

  it('knows lines that are none, a flood of others, and answers that take too long', async () => {
    await commit('error-lines:5/s,slow-requests:200ms');
    const traffic = { 'probe-url': project.url, 'probe-rate': '10' };
    const calm = await update(project, 'app', {
      watch: '4s',
      'error-ignore': 'broken on purpose\nchaos:',
      'max-error-lines': '10',
      ...traffic,
    });
    expect(calm.report.outcome, calm.log).toBe('deployed');
    expect(signs(calm, 'error-lines'), calm.log).toEqual([]);
    expect(signs(calm, 'slow-responses'), calm.log).toMatchObject([{ severity: 'medium', action: 'warn' }]);
    expect(signs(calm, 'slow-responses')[0]?.message).toMatch(/took longer than 2\d\d ms, and should take 100 ms/);

    before = await liveOf(project, 'app');
    await commit('error-lines:9/s');
    const flood = await update(project, 'app', { watch: '30s', 'max-error-lines': '20' });
    expect(flood.report.outcome, flood.log).toBe('rolled-back');
    expect(signs(flood, 'error-lines')[0], flood.log).toMatchObject({ severity: 'high', action: 'rollback' });
    expect(flood.report.error?.message).toContain('more than 20 error lines within a minute');
    await expectBack(project, 'app', before, flood.log);
  });

  it('judges memory once memory-after is over, and not at the end only', async () => {
    await commit('leak:30MB/s');
    const limits = { 'max-memory': '60MB', 'memory-after': '3s', 'on-warning': 'rollback' };
    const carried = await update(project, 'app', { watch: '60s', ...limits });
    expect(carried.report.outcome, carried.log).toBe('rolled-back');
    await expectBack(project, 'app', before, carried.log);
    const [sign] = signs(carried, 'memory');
    const began = carried.report.timeline.find(({ text }) => text.startsWith('watch app'));
    const afterMs = Date.parse(sign?.at ?? '') - Date.parse(began?.at ?? '');
    expect(afterMs, carried.log).toBeGreaterThan(2_500);
    expect(afterMs, carried.log).toBeLessThan(20_000);
  });

  it('sees a crash loop to its end where on-warning says so for high signs, with each transition', async () => {
    await commit('crash-after:3s');
    const carried = await update(project, 'app', { watch: '12s', 'on-warning': 'high: warn, medium: fail' });
    expect(carried.report.outcome, carried.log).toBe('deployed');
    expect(signs(carried, 'exited'), carried.log).toMatchObject([{ severity: 'high', action: 'warn' }]);
    const loops = signs(carried, 'keeps-restarting');
    expect(loops.length, carried.log).toBeGreaterThan(0);
    expect(loops.at(-1)).toMatchObject({
      severity: 'high',
      action: 'warn',
      message: expect.stringMatching(/exited and was restarted by Docker .*(?:once|times) \(exit code 1\)$/) as string,
    });
    // Runbook: "should transition: Up → Restarting → Up (healthy)".
    const name = `${project.name}-app-1`;
    const states = carried.report.timeline.flatMap(({ text }) =>
      text.startsWith(`${name}: `) ? [text.slice(name.length + 2)] : [],
    );
    expect(states.slice(0, 5)).toEqual(['up', 'up (healthy)', 'exited with code 1', 'up', 'up (healthy)']);
    // It served between its crashes, and that counts as served.
    let [downSince, gapsMs] = [undefined as number | undefined, 0];
    for (const { at, text } of carried.report.timeline) {
      if (text.startsWith(`${name}: exited`)) downSince ??= Date.parse(at);
      if (text !== `${name}: up (healthy)` || downSince === undefined) continue;
      gapsMs += Date.parse(at) - downSince;
      downSince = undefined;
    }
    if (downSince !== undefined) gapsMs += Math.max(0, Date.now() - downSince);
    const [service] = carried.report.services;
    expect(service?.downtimeMs, carried.log).toBeGreaterThan(gapsMs - 3_000);
    expect(service?.downtimeMs, carried.log).toBeLessThan(gapsMs + 4_000);
    // It was running and healthy when it was verified, and did not stay so.
    expect(ticked(carried.report, 'Container status is running and healthy')).toMatchObject({
      state: 'failed',
      detail: expect.stringMatching(/exited/) as string,
    });
    await commit();
    await deploy(project, 'app');
  });

  it('decides for each severity by itself: a low sign fails it where only low ones may', async () => {
    await commit('error-lines:5/s');
    const medium = await update(project, 'app', { watch: '3s', 'on-warning': 'medium: warn, low: fail' });
    expect(medium.report.outcome, medium.log).toBe('deployed');
    expect(signs(medium, 'error-lines')).toMatchObject([{ severity: 'medium', action: 'warn' }]);
    expect(ticked(medium.report, 'No errors in logs')).toMatchObject({ state: 'failed' });
    // As noisy as the one before: that is a low sign.
    await commit('error-lines:2/s');
    const low = await update(project, 'app', { watch: '3s', 'on-warning': 'medium: warn, low: fail' });
    expect(low.report, low.log).toMatchObject({ outcome: 'failed', changed: true });
    expect(signs(low, 'error-lines')).toMatchObject([{ severity: 'low', action: 'fail' }]);
    expect(await version()).toBe(`1.0.${count}`);
  });
});
