import { appendFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { environmentOf } from '../support/engine-state.js';
import { carryOut } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';

/** Two services of one image; each test goes on from where the one before left it. */
describe('config-change', () => {
  let project: Project;
  const compose = ['one', 'two'].map(
    (name) => `  ${name}:
    build: { context: ., args: { BASE_IMAGE: '\${BASE_IMAGE}' } }
    environment: { GREETING: '\${GREETING_${name.toUpperCase()}:-hello}' }
    stop_grace_period: 1s
    healthcheck:
      test: ['CMD', 'wget', '-q', '-O', '/dev/null', 'http://127.0.0.1:8080/health']
      interval: 1s
`,
  );

  beforeAll(async () => {
    project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': `services:\n${compose.join('')}` } });
    const { report, log } = await carryOut(project, { procedure: 'code-update' });
    expect(report.outcome, log).toBe('deployed');
  });

  afterAll(async () => {
    await project.cleanup();
  });

  it('recreates only the services whose configuration changed, with the image they have', async () => {
    const [one, two] = [await project.inspect('one'), await project.inspect('two')];
    await project.commitRelease({ version: '2.0.0' });
    await project.setEnv({ GREETING_TWO: 'servus' });
    const { report, log } = await carryOut(project, { procedure: 'config-change' });
    expect(report.outcome, log).toBe('deployed');
    expect(report.services.map(({ service, outcome }) => [service, outcome])).toEqual([
      ['one', 'unchanged'],
      ['two', 'deployed'],
    ]);
    expect(await project.containerId('one')).toBe(one.Id);
    const after = await project.inspect('two');
    expect(after.Id).not.toBe(two.Id);
    expect(after.Image).toBe(two.Image);
    expect((await environmentOf(project, 'two'))['GREETING']).toBe('servus');
    expect(await project.git('rev-parse', 'HEAD')).toBe(project.firstCommit);
  });

  it('takes the compose file as a person edited it on the host', async () => {
    const one = await project.containerId('one');
    const two = await project.containerId('two');
    await appendFile(`${project.dir}/compose.yaml`, '    labels: { edited: by-hand }\n');
    const { report, log } = await carryOut(project, { procedure: 'config-change' });
    expect(report.outcome, log).toBe('deployed');
    expect(await project.containerId('one')).toBe(one);
    const after = await project.inspect('two');
    expect(after.Id).not.toBe(two);
    expect(after.Config.Labels['edited']).toBe('by-hand');
  });

  it('refuses a compose file that is not valid, and touches nothing', async () => {
    const before = [await project.containerId('one'), await project.containerId('two')];
    await appendFile(`${project.dir}/compose.yaml`, '    nonsense: true\n');
    const { report, log } = await carryOut(project, { procedure: 'config-change' });
    expect(report.outcome, log).toBe('refused');
    expect(report.error?.code).toBe('E_COMPOSE_FILE');
    expect([await project.containerId('one'), await project.containerId('two')]).toEqual(before);
  });
});
