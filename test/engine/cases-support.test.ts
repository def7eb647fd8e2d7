import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { liveRelease } from '../../src/model/release.js';
import { makeCase, type Case } from '../support/cases.js';
import { docker } from '../support/engine-containers.js';
import { added, changesBetween, watchInventory } from '../support/inventory.js';
import { historyOf } from '../support/live.js';

/** What the tests of the cases stand on. */
describe('a case', () => {
  let project: Case;
  const version = async (): Promise<string> => (await project.get('/health')).text;

  beforeAll(async () => {
    project = await makeCase('A-adopted-release-moves-new-tag');
    await project.sh('docker compose up -d --wait');
  });

  afterAll(async () => {
    await project.cleanup();
  });

  it('is a project that Compose calls like its folder, on a port of its own', async () => {
    expect(await version()).toBe('1');
    expect((await project.inspect('web')).Config.Image).toBe(project.image('app', 1));
    expect((await project.sh('docker compose ls --format json')).stdout).toContain(`"${project.name}"`);
  });

  it('is deployed through the shell as its dry run says, and left alone afterwards', async () => {
    await project.edit('compose.yml', 'case-app:1', 'case-app:2');
    const run = await project.predict('code-update', { service: 'web' });
    expect(run.report.outcome, run.log).toBe('deployed');
    expect(run.exitCode).toBe(0);
    expect(run.predicted.report.outcome).toBe('completed');
    expect(await version()).toBe('2');
    const again = await project.predict('code-update', { service: 'web' });
    expect(again.report.outcome, again.log).toBe('unchanged');
    const refused = await project.predict('code-update', { service: 'nobody' });
    expect(refused.report.error?.code, refused.log).toBe('E_SERVICE');
  });

  it('is killed at a journal record by number and by operation, before and after it', async () => {
    await project.edit('compose.yml', 'case-app:2', 'case-app:3');
    // The opening is the first record, and nothing has been touched.
    for (const where of ['after:1', 'before:begin:replace-containers']) {
      expect(await project.killAt(where, 'code-update', { service: 'web' })).toBe(true);
      expect(await version()).toBe('2');
    }
    expect(await project.killAt('after:end:replace-containers', 'code-update', { service: 'web' })).toBe(true);
    await project.waitUntilHealthy('web');
    expect(await version()).toBe('3');
    const recovered = await project.run('recover');
    expect(recovered.exitCode, recovered.log).toBe(0);
    expect(await version()).toBe('2');
    expect(await project.killAt('after:99', 'code-update', { service: 'web' })).toBe(false);
    expect(await version()).toBe('3');
  });
});

/** The target of a rollback decides what is built, taken or refused, and the dry run finds it in the same way. */
describe('a rollback', () => {
  let project: Case;
  const commits: string[] = [];
  const liveOf = async (): Promise<string> => liveRelease(await historyOf(project, 'api'))?.id ?? '';

  beforeAll(async () => {
    project = await makeCase('02-proxy-keeps-old-address', { git: true });
    const text = await readFile(join(project.dir, 'compose.yml'), 'utf8');
    await project.sh('docker compose up -d --wait');
    for (const version of [1, 3]) {
      const files = { 'compose.yml': text.replace('case-app:2', `case-app:${version}`) };
      commits.push(await project.commitRelease({ files }));
    }
    const deployed = await project.predict('code-update', { service: 'api' });
    expect(deployed.report.outcome, deployed.log).toBe('deployed');
  });

  afterAll(async () => {
    await project.cleanup();
  });

  it('of the whole project leaves alone what has no other release', async () => {
    const left = await liveOf();
    const run = await project.predict('rollback');
    expect(run.report.outcome, run.log).toBe('deployed');
    expect(run.report.plan?.services.map(({ service }) => service)).toEqual(['api']);
    const refused = await project.predict('rollback', { service: 'api', 'rollback-to': `release:${left}` });
    expect(refused.report.error?.code, refused.log).toBe('E_BAD_RELEASE');
  });

  it.each([
    ['a commit that was never deployed', (): string => `git:${commits[0]}`, 'deployed'],
    ['an image', (): string => `image:${project.image('app', 2)}`, 'deployed'],
    ['a kept release', (): string => `git:${project.firstCommit}`, 'deployed'],
    ['what runs', (): string => `git:${project.firstCommit}`, 'unchanged'],
    ['a release that there is not', (): string => 'release:none', 'refused'],
  ] as const)('to %s', async (_what, target, outcome) => {
    const run = await project.predict('rollback', { service: 'api', 'rollback-to': target() });
    expect(run.report.outcome, run.log).toBe(outcome);
  });

  it('of nothing that could come back is refused', async () => {
    const run = await project.predict('rollback', { service: 'web' });
    expect(run.report.error?.code, run.log).toBe('E_ROLLBACK_TARGET');
  });
});

describe('the inventory', () => {
  let project: Case;
  let other: Case;

  beforeAll(async () => {
    [project, other] = await Promise.all([makeCase('03-first-run-bind-file'), makeCase('16-anonymous-volume-edge')]);
    await project.write('app.conf', 'v1');
  });

  afterAll(async () => {
    await Promise.all([project.cleanup(), other.cleanup()]);
  });

  it('shows what comes, changes and goes, with and without a name, and nothing of others', async () => {
    const watch = await watchInventory(project);
    const stranger = await watchInventory(other);
    const rule = `-p tcp --dport 9 -m comment --comment rolling-restart:${project.name}/web -j ACCEPT`;
    try {
      expect(changesBetween(watch.before, await watch.now())).toEqual([]);
      await project.sh('docker compose up -d --wait');
      await project.write('app.conf', 'v2');
      await mkdir(join(project.root, 'state/worktrees/run'), { recursive: true });
      await writeFile(join(project.root, 'state/rendered'), '');
      // Neither a name nor a label: known by its image.
      const helper = await docker('create', '--volume', '/somewhere', project.edgeImage, 'true');
      const data = await docker('inspect', '--format', '{{(index .Mounts 0).Name}}', helper);
      const inItsNetwork = await docker(
        'run',
        '-d',
        '--network',
        `container:${await project.containerId('web')}`,
        'rolling-restart-base:node',
        'true',
      );
      await project.sh(`iptables -t nat -A OUTPUT ${rule}`);
      const names = [helper, inItsNetwork].map((id) => docker('inspect', '--format', '{{slice .Name 1}}', id));
      const [helperName = '', joinedName = ''] = await Promise.all(names);
      const news = await watch.added();
      expect(news).toEqual(
        expect.arrayContaining([
          `container ${project.name}-web-1`,
          `container ${helperName}`,
          `container ${joinedName}`,
          `network ${project.name}_default`,
          `volume ${data}`,
          'folder state/worktrees/run',
          'file state/rendered',
          expect.stringMatching(/^NAT rule -A OUTPUT .*rolling-restart:/),
        ]),
      );
      expect(news).toHaveLength(9);
      expect((await watch.changes()).join('\n')).toMatch(
        new RegExp(`^~ file ${project.name}/app.conf: \\w+ → \\w+$`, 'm'),
      );

      await docker('rm', helper, inItsNetwork);
      // The volume is nobody's now.
      expect(await watch.added()).toContain(`volume ${data}`);
      await docker('volume', 'rm', data);
      expect(added(await watch.now(), watch.before)).toEqual([]);
      expect(await stranger.changes()).toEqual([]);
    } finally {
      await project.sh(`iptables -t nat -D OUTPUT ${rule}`, { mayFail: true });
      watch.close();
      stranger.close();
    }
  });
});
