import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { keptTags } from '../support/engine-state.js';
import {
  badReleases,
  deploy,
  excerptOf,
  expectBack,
  expectUntouched,
  historyOf,
  liveOf,
  update,
  type Live,
} from '../support/live.js';
import { carryOut } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';

/** One project, release 1 live; each test brings a release that is wrong in its own way and finds release 1 back. */
describe('a release that fails', () => {
  let project: Project;
  let before: Live;
  let composeFile: string;
  let count = 1;

  /** Code and configuration change together, so that a rollback has both to bring back. */
  const commit = async (chaos = '', files: Record<string, string> = {}): Promise<string> => {
    count += 1;
    return project.commitRelease({
      version: `1.0.${count}`,
      chaos,
      files: { 'docker-compose.yml': greeting(`Release ${count}`), ...files },
    });
  };
  const greeting = (text: string): string =>
    composeFile.replace('    ports:\n', `    environment:\n      ROMA_GREETING: ${text}\n    ports:\n`);

  beforeAll(async () => {
    project = await makeProject({ fixture: 'roma' });
    composeFile = await readFile(join(project.dir, 'docker-compose.yml'), 'utf8');
    await commit();
    await deploy(project, 'roma');
    expect((await project.get('/')).text).toBe('ROMA 1.0.2: Release 2\n');
  });

  beforeEach(async () => {
    before = await liveOf(project, 'roma');
  });

  afterAll(async () => {
    await project.cleanup();
  });

  it('exits at once: image, environment, names and checkout of before are back', async () => {
    await commit('exit-at-once');
    const carried = await update(project, 'roma');
    expect(carried.report.outcome, carried.log).toBe('rolled-back');
    await expectBack(project, 'roma', before, carried.log);
    expect((await project.get('/')).text).toBe('ROMA 1.0.2: Release 2\n');

    const { error, changed, services } = carried.report;
    expect(error?.code).toBe('E_NOT_READY');
    expect(error?.message).toContain('exit code 1');
    expect(excerptOf(carried)).toContain('chaos: ending with code 1');
    expect(changed).toBe(false);
    expect(services).toMatchObject([{ outcome: 'rolled-back', release: before.release }]);
    expect(carried.report.headline).toContain(`rolled back to release ${before.release}, which is live and verified`);
  });

  it('never gets healthy: what the health check said is in the error', async () => {
    await commit('never-healthy');
    const carried = await update(project, 'roma', { 'readiness-timeout': '2s' });
    expect(carried.report.outcome, carried.log).toBe('rolled-back');
    await expectBack(project, 'roma', before, carried.log);
    expect(carried.report.error?.code).toBe('E_NOT_READY');
    expect(carried.report.error?.message).toContain('not ready within 2 s');
    expect(excerptOf(carried)).toContain('exit 1: 503');
    expect(excerptOf(carried)).toContain('chaos: never-healthy');
  });

  it('fails its smoke test, and the same commit is refused from then on unless forced', async () => {
    const seen = join(project.root, 'smoke.txt');
    // What the runbook's smoke test does, with what it is told written down.
    const smokeTest = `echo "$ROLLING_RESTART_URL $ROLLING_RESTART_CONTAINER $ROLLING_RESTART_RELEASE" >> ${seen}
      node bin/onthisday.js`;
    const commitId = await commit('fail-requests:100%');
    const known = (await badReleases(project, 'roma')).length;
    const carried = await update(project, 'roma', { 'smoke-test': smokeTest });
    expect(carried.report.outcome, carried.log).toBe('rolled-back');
    await expectBack(project, 'roma', before, carried.log);
    expect(carried.report.error?.code).toBe('E_COMMAND');
    expect(excerptOf(carried)).toContain('failed on purpose');
    // First the new container was asked, then, going back, the old release's new one.
    const bad = (await badReleases(project, 'roma')).slice(known);
    expect(bad).toHaveLength(1);
    const now = await liveOf(project, 'roma');
    const [forward, back] = (await readFile(seen, 'utf8')).trimEnd().split('\n');
    expect(forward?.split(' ')).toEqual([project.url, expect.stringMatching(/^[0-9a-f]{64}$/), bad[0]]);
    expect(back).toBe(`${project.url} ${now.container} ${before.release}`);

    const again = await update(project, 'roma');
    expect(again.report.outcome, again.log).toBe('refused');
    expect(again.report.error?.code).toBe('E_BAD_RELEASE');
    expect(again.report.error?.message).toContain('smoke-test');
    await expectUntouched(project, 'roma', now, again.log);

    const forced = await update(project, 'roma', { force: 'true' });
    expect(forced.report.outcome, forced.log).toBe('deployed');
    expect((await liveOf(project, 'roma')).commit).toBe(commitId);
    expect((await project.get('/')).status).toBe(500);
    expect(await badReleases(project, 'roma')).not.toContain(forced.report.services[0]?.release);
  });

  it('answers with another version than expected, or is no such program at all', async () => {
    await commit();
    const inputs = { 'version-command': 'pnpm roma --version', 'expected-version': '9.9.9' };
    const carried = await update(project, 'roma', inputs);
    expect(carried.report.outcome, carried.log).toBe('rolled-back');
    await expectBack(project, 'roma', before, carried.log);
    expect(carried.report.error?.code).toBe('E_VERIFICATION');
    expect(carried.report.error?.message).toContain(`1.0.${count}`);
    expect(carried.report.error?.message).toContain('9.9.9');

    await commit();
    const right = await update(project, 'roma', { ...inputs, 'expected-version': `1.0.${count}` });
    expect(right.report.outcome, right.log).toBe('deployed');
    expect((await project.get('/')).text).toBe(`ROMA 1.0.${count}: Release ${count}\n`);
  });

  it('fails its test-command, which is not asked of the release that comes back', async () => {
    const runs = join(project.root, 'tests.txt');
    await commit();
    const carried = await update(project, 'roma', { 'test-command': `echo "once $PWD" >> ${runs}; false` });
    expect(carried.report.outcome, carried.log).toBe('rolled-back');
    await expectBack(project, 'roma', before, carried.log);
    expect(carried.report.error?.message).toContain('test-command');
    expect(await readFile(runs, 'utf8')).toBe(`once ${project.dir}\n`);
  });

  it('cannot be built: nothing that runs was touched', async () => {
    const dockerfile = await readFile(join(project.dir, 'Dockerfile'), 'utf8');
    await commit('', { Dockerfile: `${dockerfile}RUN echo no such luck >&2 && exit 7\n` });
    const tags = await keptTags(project, 'roma');
    const releases = (await historyOf(project, 'roma')).releases.length;
    const carried = await update(project, 'roma');
    expect(carried.report, carried.log).toMatchObject({ outcome: 'failed', changed: false });
    expect(carried.report.error?.code).toBe('E_BUILD');
    expect(excerptOf(carried)).toContain('no such luck');
    await expectUntouched(project, 'roma', before, carried.log);
    expect(await keptTags(project, 'roma')).toEqual(tags);
    expect((await historyOf(project, 'roma')).releases).toHaveLength(releases);
    expect(await project.git('worktree', 'list')).not.toContain('\n');
    await commit('', { Dockerfile: dockerfile });
  });

  it('cannot be built by its build-command, which runs in the wanted commit and nowhere else', async () => {
    const where = join(project.root, 'build.txt');
    const commitId = await commit();
    const command = `git rev-parse HEAD > ${where}; pwd >> ${where}; echo made > generated.txt; echo 'no: lockfile' >&2; exit 3`;
    const carried = await update(project, 'roma', { 'build-command': command });
    expect(carried.report, carried.log).toMatchObject({ outcome: 'failed', changed: false });
    expect(carried.report.error).toMatchObject({
      code: 'E_COMMAND',
      message: expect.stringContaining('exit code 3') as string,
    });
    expect(excerptOf(carried)).toContain('no: lockfile');
    await expectUntouched(project, 'roma', before, carried.log);
    const [built, directory] = (await readFile(where, 'utf8')).trimEnd().split('\n');
    expect(built).toBe(commitId);
    expect(directory).not.toBe(project.dir);
    expect(await project.git('status', '--porcelain')).toBe('');
  });

  it('stays when auto-rollback is off, and going back by hand is one step', async () => {
    await commit();
    const carried = await update(project, 'roma', { 'smoke-test': 'false', 'auto-rollback': 'false' });
    expect(carried.report, carried.log).toMatchObject({ outcome: 'failed', changed: true });
    expect((await project.get('/')).text).toBe(`ROMA 1.0.${count}: Release ${count}\n`);
    expect(carried.report.services).toMatchObject([{ outcome: 'failed', previousRelease: before.release }]);
    expect(carried.report.nextSteps.join('\n')).toContain(`rollback-to: release:${before.release}`);

    // It runs and answers, and is not what was asked for: a job that turns green now would be a lie.
    const again = await update(project, 'roma', { 'smoke-test': 'false', 'auto-rollback': 'false' });
    expect(again.report.outcome, again.log).toBe('failed');

    const back = await carryOut(project, { procedure: 'rollback', service: 'roma', 'rollback-to': 'previous' });
    expect(back.report.outcome, back.log).toBe('deployed');
    await expectBack(project, 'roma', before, back.log);
  });

  it('follows one that was never accepted: what comes back is the release accepted last', async () => {
    await commit();
    const left = await update(project, 'roma', { 'smoke-test': 'false', 'auto-rollback': 'false' });
    expect(left.report.outcome, left.log).toBe('failed');
    await commit('exit-at-once');
    const carried = await update(project, 'roma');
    expect(carried.report.outcome, carried.log).toBe('rolled-back');
    await expectBack(project, 'roma', before, carried.log);
  });

  it('cannot be undone, since the release before fails the same check: that one is live, and it is said', async () => {
    await commit();
    const carried = await update(project, 'roma', { 'smoke-test': 'echo "the backend is away"; false' });
    // The release of before runs again: nothing differs, although its check failed.
    expect(carried.report, carried.log).toMatchObject({ outcome: 'rollback-failed', changed: false });
    expect(carried.report.undoError?.message).toContain('smoke-test');
    await expectBack(project, 'roma', before, carried.log);
    expect(carried.report.services).toMatchObject([{ outcome: 'rollback-failed', release: before.release }]);
    expect(carried.report.nextSteps[0]).toContain('state running');
    expect(carried.report.nextSteps[0]).toContain(before.release);
    expect(carried.report.nextSteps[1]).toContain('tries it again');
    expect(carried.report.nextSteps[2]).toContain(`rollback-to: release:${before.release}`);

    // The next run finishes the undo before anything else; what it is asked for is refused as before.
    const { container } = await liveOf(project, 'roma');
    const next = await update(project, 'roma');
    expect(next.report.error?.code, next.log).toBe('E_BAD_RELEASE');
    expect(next.log).toContain(`recovered: roma: release ${before.release} is back`);
    await expectUntouched(project, 'roma', { ...before, container }, next.log);
  });

  it('cannot be undone, since the image of before is gone: the failed one is live, and it is said', async () => {
    await commit();
    const carried = await update(project, 'roma', { 'smoke-test': `docker rmi --force ${before.image}; false` });
    expect(carried.report, carried.log).toMatchObject({ outcome: 'rollback-failed', changed: true });
    const now = await liveOf(project, 'roma');
    expect(now.image).not.toBe(before.image);
    expect((await project.get('/')).text).toContain(`Release ${count}`);
    const [bad] = (await badReleases(project, 'roma')).slice(-1);
    expect(carried.report.services).toMatchObject([{ outcome: 'rollback-failed', release: bad }]);
    expect(carried.report.nextSteps[0]).toContain(`release ${bad}, the one that failed`);
    expect(carried.report.nextSteps[2]).toContain('is gone from the engine');

    await commit();
    const next = await update(project, 'roma');
    expect(next.report.error?.code, next.log).toBe('E_RECOVERY');
    expect(next.report.nextSteps.join('\n')).toContain('force: true');
    await deploy(project, 'roma', { force: 'true' });
    expect((await project.get('/')).text).toContain(`Release ${count}`);
  });
});
