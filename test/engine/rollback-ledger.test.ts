import { rename } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { docker } from '../support/engine-containers.js';
import { keptTags } from '../support/engine-state.js';
import { carryOut, type Carried } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';

/** One project through its releases; each test goes on from where the one before left it. */
describe('rollback to what the ledger keeps', () => {
  let project: Project;
  const commits: Record<string, string> = {};
  const releases: Record<string, string> = {};

  const version = async (): Promise<string> => (await project.get('/')).text.split(' ')[0] ?? '';
  const update = (inputs: Readonly<Record<string, string>> = {}): Promise<Carried> =>
    carryOut(project, { procedure: 'code-update', service: 'app', ...inputs });
  const rollback = (to: string, inputs: Readonly<Record<string, string>> = {}): Promise<Carried> =>
    carryOut(project, { procedure: 'rollback', service: 'app', 'rollback-to': to, ...inputs });

  beforeAll(async () => {
    project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': served() } });
    commits['1.0.0'] = project.firstCommit;
    for (const name of ['1.0.0', '2.0.0', '3.0.0']) {
      if (name !== '1.0.0') commits[name] = await project.commitRelease({ version: name });
      const { report, log } = await update();
      expect(report.outcome, log).toBe('deployed');
      releases[name] = report.services[0]?.release ?? '';
    }
    expect(await version()).toBe('3.0.0');
  });

  afterAll(async () => {
    await project.cleanup();
  });

  it('needs no network for the previous one: the origin is gone', async () => {
    const tags = await keptTags(project, 'app');
    await rename(project.origin, `${project.origin}.away`);
    try {
      const { report, log } = await rollback('previous');
      expect(report.outcome, log).toBe('deployed');
    } finally {
      await rename(`${project.origin}.away`, project.origin);
    }
    expect(await version()).toBe('2.0.0');
    expect(await project.git('rev-parse', 'HEAD')).toBe(commits['2.0.0']);
    expect(await keptTags(project, 'app')).toEqual(tags);
  });

  it('marks what was left as bad: deploying it again is refused without force', async () => {
    const before = await project.containerId('app');
    const refused = await update();
    expect(refused.report.outcome, refused.log).toBe('refused');
    expect(refused.report.error?.code).toBe('E_BAD_RELEASE');
    // Whoever only looks hears the same.
    const looked = await update({ 'dry-run': 'true' });
    expect(looked.report.error?.code, looked.log).toBe('E_BAD_RELEASE');
    expect(await project.containerId('app')).toBe(before);
    expect(await project.git('rev-parse', 'HEAD')).toBe(commits['2.0.0']);

    const forced = await update({ force: 'true' });
    expect(forced.report.outcome, forced.log).toBe('deployed');
    expect(await version()).toBe('3.0.0');
    releases['3.0.0'] = forced.report.services[0]?.release ?? '';
  });

  it('finds the kept release of a git commit, and builds nothing', async () => {
    const tags = await keptTags(project, 'app');
    const { report, log } = await rollback(`git:${commits['1.0.0'] ?? ''}`);
    expect(report.outcome, log).toBe('deployed');
    expect(await version()).toBe('1.0.0');
    expect(report.services[0]?.release).toBe(releases['1.0.0']);
    expect(await project.git('rev-parse', 'HEAD')).toBe(commits['1.0.0']);
    expect(await keptTags(project, 'app')).toEqual(tags);
    expect(report.timeline.filter((entry) => entry.text.startsWith('build '))).toEqual([]);
  });

  it('goes to a release by its id, and by a beginning of it that no other has', async () => {
    const byId = await rollback(`release:${releases['2.0.0'] ?? ''}`);
    expect(byId.report.outcome, byId.log).toBe('deployed');
    expect(await version()).toBe('2.0.0');

    const prefix = (releases['1.0.0'] ?? '').slice(0, -3);
    // A newer one has replaced it, which makes it no bad release.
    const byPrefix = await rollback(`release:${prefix}`);
    expect(byPrefix.report.outcome, byPrefix.log).toBe('deployed');
    expect(await version()).toBe('1.0.0');
    // The newer one was gone back from, so it is bad: going there again wants a person's word.
    const bad = await rollback(`release:${releases['2.0.0'] ?? ''}`);
    expect(bad.report.error?.code, bad.log).toBe('E_BAD_RELEASE');
  });

  it('refuses a beginning that several releases have, and an id nobody has', async () => {
    const before = await project.containerId('app');
    const several = await rollback(`release:${(releases['1.0.0'] ?? '').slice(0, 8)}`);
    expect(several.report.outcome, several.log).toBe('refused');
    expect(several.report.error?.message).toMatch(/is the beginning of \d+ releases/);
    const none = await rollback('release:20200101T000000Z-000000');
    expect(none.report.outcome, none.log).toBe('refused');
    expect(none.report.error?.next).toContain('release:');
    expect(await project.containerId('app')).toBe(before);
  });

  it('builds a commit that was never deployed, and the checkout follows', async () => {
    const commit = await project.commitRelease({ version: '3.1.0' });
    await project.commitRelease({ version: '3.2.0' });
    await project.git('fetch', '--quiet', 'origin');
    const { report, log } = await rollback(`git:${commit.slice(0, 10)}`);
    expect(report.outcome, log).toBe('deployed');
    expect(await version()).toBe('3.1.0');
    releases['3.1.0'] = report.services[0]?.release ?? '';
    expect(await project.git('rev-parse', 'HEAD')).toBe(commit);
    expect(await project.git('worktree', 'list')).not.toContain('worktrees');
    expect(report.timeline.some((entry) => entry.text.startsWith('build '))).toBe(true);
  });

  it('refuses a release whose image is gone, and names what there is instead', async () => {
    const forward = await update({ 'keep-releases': '20' });
    expect(forward.report.outcome, forward.log).toBe('deployed');
    const gone = releases['2.0.0'] ?? '';
    const kept = `rolling-restart/${project.name}-app:${gone.toLowerCase()}`;
    const id = await docker('image', 'inspect', '--format', '{{.Id}}', kept);
    const names = await docker('image', 'inspect', '--format', '{{join .RepoTags " "}}', id);
    await docker('rmi', '--force', ...names.split(' '));
    const before = await project.containerId('app');
    const { report, log } = await rollback(`release:${gone}`, { force: 'true' });
    expect(report.outcome, log).toBe('refused');
    expect(report.error).toMatchObject({ code: 'E_ROLLBACK_TARGET' });
    expect(report.error?.message).toContain(gone);
    expect(report.error?.next).toContain(`release:${releases['3.1.0'] ?? ''}`);
    expect(report.error?.next).not.toContain(`release:${gone}`);
    expect(await project.containerId('app')).toBe(before);
  });
});

describe('rollback without anything to go back to', () => {
  it('is refused, and says what else there is', async () => {
    const project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': served() } });
    try {
      const first = await carryOut(project, { procedure: 'code-update', service: 'app' });
      expect(first.report.outcome, first.log).toBe('deployed');
      const before = await project.containerId('app');
      const { report, log } = await carryOut(project, { procedure: 'rollback', service: 'app' });
      expect(report.outcome, log).toBe('refused');
      expect(report.error?.code).toBe('E_ROLLBACK_TARGET');
      expect(report.error?.next).toContain('git:REF');
      expect(await project.containerId('app')).toBe(before);
    } finally {
      await project.cleanup();
    }
  });
});

describe('rollback to a release that is itself broken', () => {
  it('is seen in the watch and undone', async () => {
    const project = await makeProject({
      fixture: 'plain',
      files: { 'compose.yaml': served(), 'app/release.json': '{ "version": "1.0.0", "chaos": "crash-after:3s" }' },
    });
    try {
      const first = await carryOut(project, { procedure: 'code-update', service: 'app' });
      expect(first.report.outcome, first.log).toBe('deployed');
      await project.commitRelease({ version: '2.0.0', chaos: '' });
      const second = await carryOut(project, { procedure: 'code-update', service: 'app' });
      expect(second.report.outcome, second.log).toBe('deployed');
      const { report, log } = await carryOut(project, { procedure: 'rollback', service: 'app', watch: '8s' });
      expect(report.outcome, log).toBe('rolled-back');
      expect(report.services[0]?.release).toBe(second.report.services[0]?.release);
      expect((await project.get('/')).text).toMatch(/^2\.0\.0 /);
      expect(await project.git('rev-parse', 'HEAD')).toBe(await project.git('rev-parse', 'origin/main'));
      // It was not left for good: deploying the same is what runs already.
      const again = await carryOut(project, { procedure: 'code-update', service: 'app' });
      expect(again.report.outcome, again.log).toBe('unchanged');
      // And the broken one is bad now.
      const bad = await carryOut(project, {
        procedure: 'rollback',
        service: 'app',
        'rollback-to': `release:${first.report.services[0]?.release ?? ''}`,
      });
      expect(bad.report.error?.code, bad.log).toBe('E_BAD_RELEASE');
    } finally {
      await project.cleanup();
    }
  });
});
