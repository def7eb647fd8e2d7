import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Release } from '../../src/model/release.js';
import { makeCase, type Case } from '../support/cases.js';
import { docker } from '../support/engine-containers.js';
import { historyOf, ledgerOf } from '../support/live.js';

/** What is found running and was never recorded: it was started by hand before the first run. */
let project: Case;

afterEach(async () => {
  await project.cleanup();
});

const version = async (): Promise<string> => (await project.get('/health')).text;
/** Fails for the new version, and holds for the one that comes back. */
const onlyVersion1 = (): string => `test "$(curl -s ${project.url}/health)" = 1`;
const imageId = (name: string): Promise<string> => docker('image', 'inspect', '--format', '{{.Id}}', name);
async function adopted(): Promise<Release> {
  const found = (await historyOf(project, 'web')).releases.find(({ origin }) => origin === 'adopted');
  if (found === undefined) throw new Error('nothing was adopted');
  return found;
}

const reasonsOf = ({ report }: Awaited<ReturnType<Case['run']>>): string => {
  const decision = report.plan?.services[0]?.decision;
  return decision?.kind === 'change' ? decision.reasons.join('; ') : (decision?.kind ?? 'no plan');
};

describe('going back to a release that ran before the first run', () => {
  async function begun(): Promise<{ readonly old: string; readonly next: string }> {
    project = await makeCase('A-adopted-release-moves-new-tag');
    await project.sh('docker compose up -d --wait');
    await project.edit('compose.yml', 'case-app:1', 'case-app:2');
    return { old: await imageId(project.image('app', 1)), next: await imageId(project.image('app', 2)) };
  }

  /** The old release is back under its own name, and the new name is the new version's. */
  async function expectBack(old: string, next: string, name = project.image('app', 1)): Promise<void> {
    expect(await version()).toBe('1');
    expect(await project.inspect('web')).toMatchObject({ Image: old, Config: { Image: name } });
    expect(await imageId(project.image('app', 2))).toBe(next);
  }

  it('by a rollback of its own: the name in the new file keeps naming the new version', async () => {
    const { old, next } = await begun();
    const failed = await project.predict('code-update', { service: 'web', 'smoke-test': onlyVersion1() });
    expect(failed.report.outcome, failed.log).toBe('rolled-back');
    await expectBack(old, next);
    const refused = await project.predict('code-update', { service: 'web' });
    expect(refused.report, refused.log).toMatchObject({ outcome: 'refused', error: { code: 'E_BAD_RELEASE' } });
    const again = await project.predict('code-update', { service: 'web', force: 'true' });
    expect(again.report.outcome, again.log).toBe('deployed');
    expect(await version()).toBe('2');
    expect((await project.inspect('web')).Image).toBe(next);
  });

  it('by a rollback that is asked for', async () => {
    const { old, next } = await begun();
    expect((await project.predict('code-update', { service: 'web' })).report.outcome).toBe('deployed');
    const back = await project.predict('rollback', { service: 'web' });
    expect(back.report.outcome, back.log).toBe('deployed');
    await expectBack(old, next);
  });

  it('when the name it was made by names another image by now: it comes back under our own', async () => {
    const { old, next } = await begun();
    await docker('tag', project.image('app', 3), project.image('app', 1));
    const failed = await project.predict('code-update', { service: 'web', 'smoke-test': onlyVersion1() });
    expect(failed.report.outcome, failed.log).toBe('rolled-back');
    const kept = (await adopted()).image.keptAs;
    expect(await imageId(project.image('app', 1))).toBe(await imageId(project.image('app', 3)));
    await expectBack(old, next, kept);
  });

  it('by the recovery of a run that was killed', async () => {
    const { old, next } = await begun();
    expect(await project.killAt('after:end:replace-containers', 'code-update', { service: 'web' })).toBe(true);
    const recovered = await project.run('recover');
    expect(recovered.exitCode, recovered.log).toBe(0);
    await expectBack(old, next);
  });
});

describe('a project that nobody recorded', () => {
  it.each(['health-restart', 'config-change', 'maintenance', 'stop'])(
    '%s does what its dry run says',
    async (procedure) => {
      project = await makeCase('A-adopted-release-moves-new-tag');
      await project.sh('docker compose up -d --wait');
      const run = await project.predict(procedure, { service: 'web' });
      const expected = { 'config-change': 'unchanged', stop: 'completed' }[procedure] ?? 'deployed';
      expect(run.report.outcome, run.log).toBe(expected);
      expect((await adopted()).image.name).toBe(project.image('app', 1));
    },
  );
});

describe('contents that changed between the start of the container and the first run', () => {
  it('a bind-mounted file that was replaced: the container is recreated with it, and nobody claims what it had', async () => {
    project = await makeCase('03-first-run-bind-file');
    await project.write('app.conf', 'v1\n');
    await project.sh('docker compose up -d --wait');
    await project.write('n', 'v2\n');
    await rename(join(project.dir, 'n'), join(project.dir, 'app.conf'));
    expect((await project.get('/file/etc/app.conf')).text).toBe('v1\n');

    const check = await project.run('check', { service: 'web' });
    expect(reasonsOf(check), check.log).toContain('app.conf is newer than the container');
    expect(check.report.headline).toContain('1 thing to look at');

    const run = await project.predict('code-update', { service: 'web' });
    expect(run.report.outcome, run.log).toBe('deployed');
    expect(reasonsOf(run)).toMatch(/app\.conf is newer than the container/);
    expect((await project.get('/file/etc/app.conf')).text).toBe('v2\n');
    expect((await project.predict('code-update', { service: 'web' })).report.outcome).toBe('unchanged');

    const back = await project.predict('rollback', { service: 'web' });
    expect(back.report.outcome, back.log).toBe('deployed');
    expect(back.report.warnings.map(({ message }) => message).join()).toMatch(/app\.conf is unknown/);
  });

  it('an unchanged project is adopted as it is, and left alone', async () => {
    project = await makeCase('20a-first-run-inline-config', { env: { VER: '1', TOKEN: 'correct-horse$1' } });
    await project.sh('docker compose up -d --wait');
    const run = await project.predict('code-update', { service: 'web' });
    expect(run.report.outcome, run.log).toBe('unchanged');
  });

  it.each([
    ['an inline config', { VER: '2' }, 'contents differ: config c'],
    ['an environment secret', { TOKEN: 'battery-staple$2' }, 'contents differ: secret s'],
  ])('%s: the container is recreated, and the ledger has what ran', async (what, change, reason) => {
    const env = { VER: '1', TOKEN: 'correct-horse$1' };
    project = await makeCase('20a-first-run-inline-config', { env });
    await project.sh('docker compose up -d --wait');
    await project.setEnv(change);
    const has = async (): Promise<readonly string[]> => [
      (await project.get('/file/etc/x.conf')).text,
      (await project.get('/file/run/secrets/s')).text,
    ];
    const before = await has();

    const run = await project.predict('code-update', { service: 'web' });
    expect(run.report.outcome, run.log).toBe('deployed');
    expect(reasonsOf(run)).toBe(reason);
    const after = await has();
    expect(after).not.toEqual(before);
    expect((await project.predict('code-update', { service: 'web' })).report.outcome).toBe('unchanged');
    const everything = JSON.stringify(run.report) + run.log;
    for (const secret of ['correct-horse', 'battery-staple']) expect(everything).not.toContain(secret);

    const { id } = await adopted();
    const kept = await (await ledgerOf(project)).definition(id);
    expect(kept?.definition['configs']).toMatchObject({ c: { content: 'v=1' } });
    const back = await project.predict('rollback', { service: 'web', 'rollback-to': `release:${id}` });
    expect(back.report.outcome, back.log).toBe('deployed');
    const warnings = back.report.warnings.map(({ message }) => message).join();
    if (what === 'an inline config') {
      expect(await has()).toEqual(before);
      expect(warnings).not.toContain('unknown');
    } else {
      expect(await has()).toEqual(after);
      expect(warnings).toContain('secret s is unknown');
    }
  });

  it('once it is recorded, a changed environment secret is still seen', async () => {
    project = await makeCase('20a-first-run-inline-config', { env: { VER: '1', TOKEN: 'correct-horse' } });
    expect((await project.predict('code-update', { service: 'web' })).report.outcome).toBe('deployed');
    await project.setEnv({ TOKEN: 'battery-staple' });
    const run = await project.predict('config-change', { service: 'web' });
    expect(run.report.outcome, run.log).toBe('deployed');
    expect((await project.get('/file/run/secrets/s')).text).toBe('battery-staple');
  });
});
