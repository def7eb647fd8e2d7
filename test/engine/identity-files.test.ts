import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { carryOut, type Carried } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';

/** One project through its releases; each test goes on from where the one before left it. */
describe('files of the host that get into a container', () => {
  let project: Project;

  const update = (): Promise<Carried> => carryOut(project, { procedure: 'code-update', service: 'app' });
  const file = async (path: string): Promise<string> => (await project.get(`/file?path=${path}`)).text;

  beforeAll(async () => {
    project = await makeProject({ fixture: 'configs' });
    const { report, log } = await update();
    expect(report.outcome, log).toBe('deployed');
  });

  afterAll(async () => {
    await project.cleanup();
  });

  it('untouched, with an image that is rebuilt from the cache, are unchanged', async () => {
    const before = await project.containerId('app');
    const { report, log } = await update();
    expect(report.outcome, log).toBe('unchanged');
    expect(log).toContain('docker compose build');
    expect(await project.containerId('app')).toBe(before);
  });

  it.each([
    ['a bind-mounted file', 'motd.txt', 'Good evening.\n', '/etc/app/motd.txt'],
    ['a file of configs:', 'config/settings.json', '{ "colour": "blue" }\n', '/etc/app/settings.json'],
  ])('%s that a commit changes is a change', async (_what, path, content, inside) => {
    const before = await project.containerId('app');
    await project.commitRelease({ files: { [path]: content } });
    const { report, log } = await update();
    expect(report.outcome, log).toBe('deployed');
    expect(report.services[0]?.reasons.join(), log).toContain(path);
    expect(await project.containerId('app')).not.toBe(before);
    expect(await file(inside)).toBe(content);
  });

  it('an env_file that a commit changes is a change', async () => {
    const before = await project.containerId('app');
    await project.commitRelease({ files: { 'service.env': 'APP_GREETING=servus\n' } });
    const { report, log } = await update();
    expect(report.outcome, log).toBe('deployed');
    expect(await project.containerId('app')).not.toBe(before);
    expect((await project.get('/env?name=APP_GREETING')).text).toBe('servus\n');
  });

  it('a secret that a person changes on the host is a change', async () => {
    const before = await project.containerId('app');
    await writeFile(`${project.dir}/secrets/token.txt`, 'another-token-of-the-test');
    const { report, log } = await update();
    expect(report.outcome, log).toBe('deployed');
    expect(report.services[0]?.reasons.join(), log).toContain('secrets/token.txt');
    expect(await project.containerId('app')).not.toBe(before);
    expect(await file('/run/secrets/token')).toBe('another-token-of-the-test');
    expect(log).not.toContain('another-token-of-the-test');
  });

  it('nothing of it touched again is unchanged', async () => {
    const before = await project.containerId('app');
    const { report, log } = await update();
    expect(report.outcome, log).toBe('unchanged');
    expect(await project.containerId('app')).toBe(before);
  });

  it('come back with the release that had them', async () => {
    const { report, log } = await carryOut(project, {
      procedure: 'rollback',
      service: 'app',
      'rollback-to': `git:${project.firstCommit}`,
    });
    expect(report.outcome, log).toBe('deployed');
    expect(await file('/etc/app/motd.txt')).toBe('Welcome.\n');
    expect(await file('/etc/app/settings.json')).toBe('{ "colour": "green" }\n');
    expect((await project.get('/env?name=APP_GREETING')).text).toBe('hello\n');
  });
});
