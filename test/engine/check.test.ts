import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { docker } from '../support/engine-containers.js';
import { engineState, environmentOf } from '../support/engine-state.js';
import { carryOut, type Carried } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';

/** One project; each test goes on from where the one before left it. */
describe('check', () => {
  let project: Project;
  const releases: string[] = [];

  const check = (): Promise<Carried> => carryOut(project, { procedure: 'check' });
  const update = (): Promise<Carried> => carryOut(project, { procedure: 'code-update', service: 'app' });

  beforeAll(async () => {
    const compose = served({ environment: { GREETING: '${GREETING:-hello}' } });
    project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': compose } });
    for (const version of ['1.0.0', '2.0.0', '3.0.0']) {
      if (version !== '1.0.0')
        await project.commitRelease({ version, chaos: version === '3.0.0' ? 'error-lines' : '' });
      const { report, log } = await update();
      expect(report.outcome, log).toBe('deployed');
      releases.push(report.services[0]?.release ?? '');
    }
    await project.waitUntilHealthy('app');
  });

  afterAll(async () => {
    await project.cleanup();
  });

  it('shows health, resource use, error lines, and the releases there are to go back to; changes nothing', async () => {
    const before = await engineState(project);
    const { report, log } = await check();
    expect(report.outcome, log).toBe('completed');
    const [containers, kept] = report.findings;
    const [row] = containers?.rows ?? [];
    const cell = (column: string): string => row?.[containers?.columns.indexOf(column) ?? -1] ?? '';
    expect(cell('State')).toBe('running');
    expect(cell('Health')).toBe('healthy');
    expect(cell('Memory')).toMatch(/^\d+(\.\d+)? MB$/);
    expect(cell('CPU')).toMatch(/ %$/);
    expect(Number(cell('Error lines (5 min)'))).toBeGreaterThan(0);
    expect(kept?.rows.map(([id, mark, image]) => [id, mark, image])).toEqual([
      [releases[2], 'live', 'there'],
      [releases[1], 'kept', 'there'],
      [releases[0], 'kept', 'there'],
    ]);
    expect(await engineState(project)).toEqual(before);
  });

  it('says what code-update would do', async () => {
    expect((await check()).log).toContain('code-update: app: unchanged');
    await project.commitRelease({ version: '4.0.0' });
    const { log } = await check();
    expect(log).toMatch(/code-update: app: changes: /);
  });

  it('names a kept release whose image is gone', async () => {
    const gone = releases[0] ?? '';
    const kept = `rolling-restart/${project.name}-app:${gone.toLowerCase()}`;
    const id = await docker('image', 'inspect', '--format', '{{.Id}}', kept);
    const names = await docker('image', 'inspect', '--format', '{{join .RepoTags " "}}', id);
    await docker('rmi', '--force', ...names.split(' '));
    const { report, log } = await check();
    expect(report.nextSteps.join('\n'), log).toContain(gone);
    expect(report.nextSteps.join('\n')).not.toContain(releases[1]);
    const rows = report.findings.find(({ title }) => title.startsWith('Releases'))?.rows ?? [];
    expect(rows.find(([release]) => release === gone)?.[2]).toBe('gone');
  });

  it('notices another environment that was brought up by hand, which code-update puts right', async () => {
    const deployed = await update();
    expect(deployed.report.outcome, deployed.log).toBe('deployed');
    await project.compose(['up', '-d', '--no-build'], { env: { GREETING: 'by-hand' } });
    await project.waitUntilHealthy('app');
    expect((await environmentOf(project, 'app'))['GREETING']).toBe('by-hand');
    const { report, log } = await check();
    expect(report.nextSteps.join('\n'), log).toMatch(/by hand/);
    const fixed = await update();
    expect(fixed.report.outcome, fixed.log).toBe('deployed');
    expect((await environmentOf(project, 'app'))['GREETING']).toBe('hello');
    expect((await check()).report.nextSteps.join('\n')).not.toMatch(/by hand/);
  });

  it('notices an image that was tagged over by hand and brought up, which code-update puts right', async () => {
    const image = (await project.inspect('app')).Image;
    const other = `rolling-restart/${project.name}-app:${(releases[1] ?? '').toLowerCase()}`;
    await docker('tag', other, `${project.name}-app`);
    await project.compose(['up', '-d', '--no-build']);
    await project.waitUntilHealthy('app');
    expect((await project.get('/')).text).toMatch(/^2\.0\.0 /);
    const { report, log } = await check();
    expect(report.nextSteps.join('\n'), log).toMatch(/by hand/);
    const fixed = await update();
    expect(fixed.report.outcome, fixed.log).toBe('deployed');
    expect((await project.get('/')).text).toMatch(/^4\.0\.0 /);
    expect((await project.inspect('app')).Image).toBe(image);
  });

  it('says what is wrong with a service that is down', async () => {
    await docker('stop', '--time', '0', await project.containerId('app'));
    const { report, log } = await check();
    expect(report.nextSteps.join('\n'), log).toMatch(/exited with exit code \d+/);
    expect(report.headline).toMatch(/to look at/);
  });
});
