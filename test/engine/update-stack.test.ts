import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { docker } from '../support/engine-containers.js';
import { deploy, expectBack, expectUntouched, historyOf, liveOf, update, type Live } from '../support/live.js';
import { makeProject, type Project } from '../support/project.js';

const SERVICES = ['db', 'migrate', 'web', 'worker'] as const;

/** A whole application: one project through its releases, each test going on from where the one before left it. */
describe('several services', () => {
  let project: Project;
  let before: Record<Exclude<(typeof SERVICES)[number], 'migrate'>, Live> & { readonly migrate: Live | undefined };

  const all = async (): Promise<typeof before> => ({
    db: await liveOf(project, 'db'),
    // After a migration that failed there is no container of it: the one before is live and is not run again.
    migrate: (await project.containerIds('migrate')).length === 0 ? undefined : await liveOf(project, 'migrate'),
    web: await liveOf(project, 'web'),
    worker: await liveOf(project, 'worker'),
  });
  const database = async (command: string): Promise<string> =>
    docker('exec', await project.containerId('db'), 'node', 'database.mjs', ...command.split(' '));
  const version = async (service: 'web' | 'worker'): Promise<string> => {
    const url = await project.containerUrl(await project.containerId(service));
    return (await project.get(url)).text.split(' ')[0] ?? '';
  };
  const created = async (service: string): Promise<number> => Date.parse((await project.inspect(service)).Created);

  beforeAll(async () => {
    project = await makeProject({ fixture: 'stack' });
    const { report } = await deploy(project, '');
    expect(report.services.map(({ service, outcome }) => [service, outcome])).toEqual(
      SERVICES.map((service) => [service, 'deployed']),
    );
  });

  beforeEach(async () => {
    before = await all();
  });

  afterAll(async () => {
    await project.cleanup();
  });

  it('come up in the order in which they depend on each other, a migration that ended with 0 counting as ready', async () => {
    const times = await Promise.all(SERVICES.map(created));
    expect(times).toEqual([...times].sort((a, b) => a - b));
    const { State } = await project.inspect('migrate');
    expect(State).toMatchObject({ Status: 'exited', ExitCode: 0 });
    expect(await database('GET schema')).toBe('1.0.0');
    expect(await version('web')).toBe('1.0.0');
    expect(await version('worker')).toBe('1.0.0');
  });

  it('are left alone when nothing changed, the ended migration and the service in a profile too', async () => {
    const { report, log } = await update(project, '');
    expect(report.outcome, log).toBe('unchanged');
    expect(await all(), log).toEqual(before);
    expect(await project.containerIds('debug')).toEqual([]);
  });

  it('are treated one at a time: the first stays, the second is undone, the third is not begun', async () => {
    await project.commitRelease({ version: '2.0.0', services: ['migrate', 'worker'] });
    const commit = await project.commitRelease({ version: '2.0.0', services: ['web'], chaos: 'exit-at-once' });
    const { report, log } = await update(project, '');
    expect(report, log).toMatchObject({ outcome: 'rolled-back', changed: true });
    expect(await database('GET schema')).toBe('2.0.0');
    await expectUntouched(project, 'worker', { ...before.worker, commit }, log);
    await expectUntouched(project, 'db', { ...before.db, commit }, log);
    expect(await version('web')).toBe('1.0.0');
    expect(await version('worker')).toBe('1.0.0');
    // The migration is live from the new commit, so the checkout stays there; web runs from what the ledger keeps.
    await expectBack(project, 'web', { ...before.web, commit }, log);
    expect(report.headline).toMatch(/^migrate deployed.*; web: rolled back.*; not begun: worker$/);
    expect(report.services.map(({ service, outcome }) => [service, outcome])).toEqual([
      ['db', 'unchanged'],
      ['migrate', 'deployed'],
      ['web', 'rolled-back'],
    ]);
    expect(report.nextSteps.join('\n')).toContain('The checkout stays');
  });

  it('go on with a corrected commit: what is deployed already is not deployed again', async () => {
    await project.commitRelease({ version: '2.0.1', services: ['web'] });
    const { report } = await deploy(project, '');
    expect(report.services.map(({ service, outcome }) => [service, outcome])).toEqual([
      ['db', 'unchanged'],
      ['migrate', 'unchanged'],
      ['web', 'deployed'],
      ['worker', 'deployed'],
    ]);
    expect(await project.containerId('migrate')).toBe(before.migrate?.container);
    expect(await version('web')).toBe('2.0.1');
    expect(await version('worker')).toBe('2.0.0');
  });

  it('stop at a migration that fails: nothing that waits for it is begun', async () => {
    await project.commitRelease({ version: '3.0.0', services: ['migrate'], chaos: 'exit-at-once' });
    await project.commitRelease({ version: '3.0.0', services: ['web', 'worker'] });
    const { report, log } = await update(project, '');
    expect(report.outcome, log).toBe('rolled-back');
    expect(report.error?.message).toContain('exit code 1');
    expect(report.headline).toContain('not begun: web, worker');
    await expectUntouched(project, 'web', before.web, log);
    await expectUntouched(project, 'worker', before.worker, log);
    expect(await database('GET schema')).toBe('2.0.0');
    expect(await project.containerIds('migrate')).toEqual([]);
  });

  it('are treated as named and in that order, and no other', async () => {
    await project.commitRelease({ version: '3.0.1', services: ['migrate', 'web', 'worker'] });
    const { report } = await deploy(project, 'worker, web');
    expect(report.services.map(({ service }) => service)).toEqual(['worker', 'web']);
    expect(await created('worker')).toBeLessThan(await created('web'));
    expect(await version('web')).toBe('3.0.1');
    expect(await project.containerIds('migrate')).toEqual([]);
    expect(await database('GET schema')).toBe('2.0.0');
  });

  it('in a profile are deployed when named', async () => {
    const { report } = await deploy(project, 'debug');
    expect(report.services.map(({ service }) => service)).toEqual(['debug']);
    expect((await project.inspect('debug')).State.Running).toBe(true);
    await expectUntouched(project, 'web', before.web, report.headline);
  });

  it('that keep data are left alone unless they are named, and keep it', async () => {
    const file = await readFile(join(project.dir, 'compose.yaml'), 'utf8');
    // As a database out of a registry is: an image, a volume, no build.
    const [head = '', tail = ''] = file.split(/\n {2}db:\n/);
    const db = tail
      .replace(/ {4}build:\n(?: {6}.*\n)+/, '')
      .replace('    volumes:', '    environment:\n      TUNED: "1"\n    volumes:');
    await project.commitRelease({
      files: { 'compose.yaml': `${head}\n  db:\n${db}` },
      version: '4.0.0',
      services: ['web'],
    });
    expect(await database('SET answer 42')).toBe('OK');

    const whole = await deploy(project, '');
    expect(whole.report.services.map(({ service }) => service)).toEqual(['migrate', 'web', 'worker']);
    expect(whole.log).toContain('left alone unless it is named');
    expect(await project.containerId('db')).toBe(before.db.container);
    expect(await version('web')).toBe('4.0.0');

    const named = await deploy(project, 'db');
    expect(named.report.services.map(({ service }) => service)).toEqual(['db']);
    const now = await liveOf(project, 'db');
    expect(now.container).not.toBe(before.db.container);
    expect(now.environment).toContain('TUNED=1');
    expect(await database('GET answer')).toBe('42');
    expect((await historyOf(project, 'db')).releases).toHaveLength(2);
  });
});
