import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { environmentOf } from '../support/engine-state.js';
import { carryOut } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';

const COMPOSE = served({ environment: { GREETING: '${GREETING:-hello}', FIXED: 'one' } });

let project: Project;

beforeEach(async () => {
  project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': COMPOSE } });
  const { report, log } = await carryOut(project, { procedure: 'code-update', service: 'app' });
  expect(report.outcome, log).toBe('deployed');
});

afterEach(async () => {
  await project.cleanup();
});

describe('rollback of a configuration change', () => {
  it('that came with a commit brings the old environment back', async () => {
    await project.commitRelease({ files: { 'compose.yaml': COMPOSE.replace('"one"', '"two"') } });
    const update = await carryOut(project, { procedure: 'code-update', service: 'app' });
    expect(update.report.outcome, update.log).toBe('deployed');
    expect((await environmentOf(project, 'app'))['FIXED']).toBe('two');

    const back = await carryOut(project, { procedure: 'rollback', service: 'app' });
    expect(back.report.outcome, back.log).toBe('deployed');
    expect((await environmentOf(project, 'app'))['FIXED']).toBe('one');
    expect((await project.get('/env?name=FIXED')).text).toBe('one\n');
    expect(await project.git('rev-parse', 'HEAD')).toBe(project.firstCommit);
  });

  it('that was made by hand in .env brings it back as well, from the definition that the ledger keeps', async () => {
    const image = (await project.inspect('app')).Image;
    await project.setEnv({ GREETING: 'good-bye' });
    const change = await carryOut(project, { procedure: 'config-change', service: 'app' });
    expect(change.report.outcome, change.log).toBe('deployed');
    expect((await environmentOf(project, 'app'))['GREETING']).toBe('good-bye');
    expect((await project.inspect('app')).Image).toBe(image);

    const back = await carryOut(project, { procedure: 'rollback', service: 'app' });
    expect(back.report.outcome, back.log).toBe('deployed');
    expect((await environmentOf(project, 'app'))['GREETING']).toBe('hello');
    expect((await project.get('/env?name=GREETING')).text).toBe('hello\n');
    // The file is a person's: it stays as it was edited, and applying it again wants a person's word.
    expect(await readFile(`${project.dir}/.env`, 'utf8')).toContain('GREETING=good-bye');
    const again = await carryOut(project, { procedure: 'config-change', service: 'app' });
    expect(again.report.error?.code, again.log).toBe('E_BAD_RELEASE');
    expect((await environmentOf(project, 'app'))['GREETING']).toBe('hello');
  });

  it('that breaks the service happens by itself', async () => {
    const before = await project.inspect('app');
    await project.setEnv({ GREETING: 'boom' });
    const { report, log } = await carryOut(project, {
      procedure: 'config-change',
      service: 'app',
      'smoke-test': `wget -q -O - 'http://127.0.0.1:${project.port}/env?name=GREETING' | grep -q hello`,
    });
    expect(report.outcome, log).toBe('rolled-back');
    expect((await environmentOf(project, 'app'))['GREETING']).toBe('hello');
    expect((await project.inspect('app')).Image).toBe(before.Image);
  });
});
