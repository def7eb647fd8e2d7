import { afterEach, describe, expect, it } from 'vitest';
import { carryOut } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';

let project: Project | undefined;

afterEach(async () => {
  await project?.cleanup();
  project = undefined;
});

describe('code-update', () => {
  it('deploys a first release, then an update, and leaves an unchanged service alone', async () => {
    project = await makeProject({ fixture: 'roma' });
    const first = await carryOut(project, { procedure: 'code-update', service: 'roma' });
    expect(first.report.outcome, first.log).toBe('deployed');
    const old = await project.containerId('roma');

    await project.commitRelease({ version: '2.0.0' });
    const second = await carryOut(project, { procedure: 'code-update', service: 'roma' });
    expect(second.report.outcome, second.log).toBe('deployed');
    const fresh = await project.containerId('roma');
    expect(fresh).not.toBe(old);
    expect((await project.get('/version')).text).toContain('2.0.0');
    expect(second.report.services[0]?.previousRelease).toBe(first.report.services[0]?.release);
    expect(second.report.services[0]?.downtimeMs).toBeGreaterThan(0);

    const third = await carryOut(project, { procedure: 'code-update', service: 'roma' });
    expect(third.report.outcome, third.log).toBe('unchanged');
    expect(await project.containerId('roma')).toBe(fresh);
  });
});
