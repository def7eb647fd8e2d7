import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { renderSummary } from '../../src/report/summary.js';
import { callEvery } from '../support/caller.js';
import { deploy, excerptOf, expectBack, liveOf, update, type Live } from '../support/live.js';
import { carryOut, type Carried } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';
import type { TrafficReport } from '../../src/model/traffic.js';

/** Traffic proof where requests have to fail: containers are recreated or restarted in place. */
describe('requests to probe-url while containers are recreated', () => {
  let project: Project;
  let before: Live;
  let count = 1;

  const commit = (chaos = ''): Promise<string> => {
    count += 1;
    return project.commitRelease({ version: `1.0.${count}`, chaos });
  };
  const probing = (more: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> => ({
    'probe-url': `${project.url}/`,
    'probe-rate': '50',
    'probe-version': 'header:x-version',
    ...more,
  });
  const trafficOf = ({ report, log }: Carried): TrafficReport => {
    if (report.traffic === undefined) throw new Error(`no traffic in the report\n${log}`);
    return report.traffic;
  };
  const versionsOf = ({ buckets }: TrafficReport): readonly string[] => [
    ...new Set(buckets.flatMap((bucket) => bucket.versions.map(({ version }) => version))),
  ];

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

  it('are counted and not judged; the longest gap is the one that an independent caller saw', async () => {
    await commit('slow-boot:1s');
    const caller = callEvery(20, `${project.url}/`);
    const carried = await update(project, 'app', probing({ watch: '2s' }));
    const called = await caller.stop();
    expect(carried.report.outcome, carried.log).toBe('deployed');

    const traffic = trafficOf(carried);
    expect(traffic.verdict).toBe('not-judged');
    expect(traffic.reason).toContain('give max-failed-requests');
    expect(traffic.failed).toBeGreaterThan(30);
    expect(called.failed).toBeGreaterThan(30);
    expect(traffic.longestGapMs).toBeGreaterThan(1_000);
    expect(Math.abs(traffic.longestGapMs - called.longestGapMs)).toBeLessThan(250);
    // The outage that the engine's events show is the same one.
    expect(Math.abs(traffic.longestGapMs - (carried.report.services[0]?.downtimeMs ?? 0))).toBeLessThan(750);
    expect(traffic.failures.reduce((sum, one) => sum + one.count, 0)).toBe(traffic.failed);
    expect(traffic.buckets.reduce((sum, { good, failed }) => sum + good + failed, 0)).toBe(traffic.requests);
    expect(Math.abs(traffic.requests - (traffic.durationMs / 1_000) * 50)).toBeLessThan(60);
    expect(versionsOf(traffic)).toEqual(['1.0.0', '1.0.2']);

    expect(carried.log).toMatch(/✗ traffic: a request failed: (reset|refused)/);
    expect(carried.log).toMatch(/✓ traffic: a good answer again/);
    expect(carried.log).toContain('counted and not judged');
    expect(carried.report.timeline.map(({ text }) => text).join('\n')).toContain('first failed request');
    expect(carried.report.warnings.filter(({ sign }) => sign === 'failed-requests')).toEqual([]);
    const summary = renderSummary(carried.report);
    expect(summary).toContain('## Traffic');
    expect(summary).toContain('xychart-beta');
  });

  it('are judged when a person says how many may fail: back to the release of before', async () => {
    await commit();
    const carried = await update(project, 'app', probing({ 'max-failed-requests': '0' }));
    expect(carried.report.outcome, carried.log).toBe('rolled-back');
    await expectBack(project, 'app', before, carried.log);
    expect(carried.report.error?.code).toBe('E_VERIFICATION');
    expect(carried.report.error?.message).toMatch(
      /\d+ of \d+ requests to \S+ failed since the change began \(.*\d.*\)/,
    );
    expect(excerptOf(carried)).toMatch(/T\d\d:\d\d:\d\d\.\d{3}Z \(after .*\): (reset|refused|timeout): /);
    expect(trafficOf(carried).verdict).toBe('failed');
  });

  it('pass when no more fail than may', async () => {
    await commit();
    const carried = await update(project, 'app', probing({ 'max-failed-requests': '100000' }));
    expect(carried.report.outcome, carried.log).toBe('deployed');
    const traffic = trafficOf(carried);
    expect(traffic.verdict).toBe('passed');
    expect(traffic.failed).toBeGreaterThan(0);
    expect(carried.log).toMatch(/✓ probe: \d+ of \d+ requests/);
  });

  it('that failed before anything was changed judge nothing, and that is said', async () => {
    await commit();
    const inputs = probing({ 'max-failed-requests': '0', 'probe-url': `${project.url}/nothing-here` });
    const carried = await update(project, 'app', inputs);
    expect(carried.report.outcome, carried.log).toBe('deployed');
    const traffic = trafficOf(carried);
    expect(traffic.verdict).toBe('not-judged');
    expect(traffic.reason).toContain('(HTTP 404) before anything was changed');
    expect(carried.log).toContain('✓ probe: not judged:');
  });

  it('that go on failing while it is watched are a Medium sign, which on-warning decides about', async () => {
    await commit('fail-requests:100%');
    const inputs = probing({ watch: '20s', 'on-warning': 'medium: rollback' });
    const carried = await update(project, 'app', inputs);
    expect(carried.report.outcome, carried.log).toBe('rolled-back');
    await expectBack(project, 'app', before, carried.log);
    expect(carried.report.error?.code).toBe('E_WARNING_SIGN');
    expect(carried.report.warnings.find(({ sign }) => sign === 'failed-requests')).toMatchObject({
      severity: 'medium',
      action: 'rollback',
    });
    expect(trafficOf(carried).failures.map(({ kind }) => kind)).toContain('5xx');
  });

  it('of which more fail than may while it is watched are a High sign: back', async () => {
    await commit('fail-requests:100%');
    const carried = await update(project, 'app', probing({ watch: '60s', 'max-failed-requests': '300' }));
    expect(carried.report.outcome, carried.log).toBe('rolled-back');
    await expectBack(project, 'app', before, carried.log);
    expect(carried.report.error?.code).toBe('E_WARNING_SIGN');
    expect(carried.report.warnings.find(({ sign }) => sign === 'failed-requests')).toMatchObject({
      severity: 'high',
      action: 'rollback',
    });
    expect(trafficOf(carried).verdict).toBe('failed');
  });

  it('are counted while it is restarted in place, over kept connections as well', async () => {
    const carried = await carryOut(project, {
      procedure: 'health-restart',
      service: 'app',
      ...probing({ 'probe-keep-alive': 'true' }),
    });
    expect(carried.report.outcome, carried.log).toBe('deployed');
    const traffic = trafficOf(carried);
    expect(traffic).toMatchObject({ verdict: 'not-judged', keepAlive: true });
    expect(traffic.failed).toBeGreaterThan(0);
  });

  it('are not sent when nothing is changed', async () => {
    await project.commitRelease({ version: '1.0.0' });
    await deploy(project, 'app');
    const carried = await update(project, 'app', probing());
    expect(carried.report.outcome, carried.log).toBe('unchanged');
    expect(carried.report.traffic).toBeUndefined();
    const preview = await update(project, 'app', probing({ 'dry-run': 'true' }));
    expect(preview.report.outcome, preview.log).toBe('completed');
    expect(preview.report.traffic).toBeUndefined();
  });
});
