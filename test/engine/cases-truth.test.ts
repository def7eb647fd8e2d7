import { afterEach, describe, expect, it } from 'vitest';
import { makeCase, type Case, type CaseRun } from '../support/cases.js';
import { docker } from '../support/engine-containers.js';
import { watchInventory } from '../support/inventory.js';
import { historyOf } from '../support/live.js';
import { isBad, liveRelease } from '../../src/model/release.js';

let project: Case;
afterEach(() => project.cleanup());

const liveOf = async (service: string): Promise<string | undefined> =>
  liveRelease(await historyOf(project, service))?.id;

/** Everything that a run says of what is live names this release. */
function expectNamed({ report, log }: CaseRun, release: string | undefined): void {
  expect(release).toBeDefined();
  expect(report.services, log).toMatchObject([{ release, previousRelease: release }]);
  expect(report.headline).toContain(release);
  expect(report.changed, log).toBe(false);
  expect(log).not.toContain('is different from before');
}

describe('case B: behind the edge, recreate, a release that fails its smoke test', () => {
  const edge = (): Record<string, string> => ({
    service: 'web',
    router: 'edge',
    'edge-image': project.edgeImage,
    strategy: 'recreate',
    watch: '0s',
  });

  async function deployed(): Promise<string | undefined> {
    project = await makeCase('B-edge-recreate-rollback-wrong-truth');
    await project.edit('compose.yml', 'case-app:2', 'case-app:1');
    await project.sh('docker compose up -d --wait');
    await project.edit('compose.yml', 'case-app:1', 'case-app:2');
    const first = await project.predict('code-update', edge());
    expect(first.report.outcome, first.log).toBe('deployed');
    return liveOf('web');
  }

  it('is rolled back, and the release of before is said to be live', async () => {
    const before = await deployed();
    await project.edit('compose.yml', 'case-app:2', 'case-app:3');
    const smoke = `test "$(curl -s 127.0.0.1:${project.portOf(1)}/health)" != 3`;
    const run = await project.predict('code-update', { ...edge(), 'smoke-test': smoke });
    expect(run.report.outcome, run.log).toBe('rolled-back');
    expect((await project.get('/health')).text).toBe('2');
    expectNamed(run, before);
    const history = await project.run('history');
    expect(history.log).toContain(before);
  });

  it('whose undo fails as well is undone by the next run, when the cause is gone', async () => {
    const before = await deployed();
    const container = await project.containerId('web');
    await project.edit('compose.yml', /volumes: \[/, 'environment: { NEW: yes }\n    volumes: [');
    // Fails for the new release, and for the one of before as well, until the file is there.
    const inputs = { ...edge(), 'smoke-test': `test -e ${project.root}/cause-is-gone` };
    const run = await project.predict('code-update', inputs);
    expect(run.report.outcome, run.log).toBe('rollback-failed');
    expect((await project.get('/health')).text).toBe('2');
    expectNamedAfterFailedUndo(run, before);
    const steps = run.report.nextSteps.join('\n');
    expect(steps).toContain('The next run of any procedure tries it again');
    expect(steps).toContain('Do not run docker compose up');
    expect(steps).not.toContain('force-recreate');

    // It fails again: the run says so, names the way out, and touches nothing else.
    const dry = await project.run('code-update', { ...inputs, force: 'true', 'dry-run': 'true' });
    expect(dry.log).toContain(`Not finished: run ${run.report.invocation.runId}.`);
    const again = await project.run('code-update', inputs);
    expect(again.report.error?.code, again.log).toBe('E_RECOVERY');
    expect(again.report.nextSteps.join('\n')).toContain('force: true');
    expect((await project.get('/health')).text).toBe('2');

    await project.write('../cause-is-gone', '');
    const recovered = await project.run('recover');
    expect(recovered.exitCode, recovered.log).toBe(0);
    expect(await project.containerId('web')).toBe(container);
    expect(await liveOf('web')).toBe(before);
    const nothing = await project.run('recover');
    expect(nothing.log).toContain('nothing was left to repair');
  });

  function expectNamedAfterFailedUndo({ report, log }: CaseRun, before: string | undefined): void {
    expect(report.services, log).toMatchObject([{ outcome: 'rollback-failed', release: before }]);
    expect(report.nextSteps.join('\n')).toContain(
      `It is release ${before ?? ''}, the one before; a check of it failed`,
    );
  }
});

describe('case B2: behind the edge, blue-green, a release that crashes in its watch', () => {
  it.each(['environment', 'image'] as const)('after a change of the %s', async (change) => {
    project = await makeCase('B2-edge-rolled-back-in-the-watch', { git: true, env: { VERSION: 'v1' } });
    const inputs = { router: 'edge', 'edge-image': project.edgeImage, strategy: 'blue-green', service: 'roma' };
    await project.sh('docker compose up -d --wait');
    await project.setEnv({ VERSION: 'v2' });
    const first = await project.predict('code-update', { ...inputs, watch: '1s' });
    expect(first.report.outcome, first.log).toBe('deployed');
    const before = await liveOf('roma');

    if (change === 'environment') await project.setEnv({ VERSION: 'v3', CRASH_MS: '3000' });
    else {
      const compose = await project.sh('cat compose.yml');
      const changed = compose.stdout.replace('case-app:1', 'case-app:3').replace('${CRASH_MS:-}', '3000');
      await project.commitRelease({ files: { 'compose.yml': changed } });
    }
    const run = await project.predict('code-update', { ...inputs, watch: '8s' });
    expect(run.report.outcome, run.log).toBe('rolled-back');
    expect((await project.get('/health')).text).toBe('1');
    expect((await project.inspect('roma')).Config.Env).toContain('VERSION=v2');
    expectNamed(run, before);
    expect(run.report.services[0]?.imageDigest).toBe((await project.inspect('roma')).Image);
    // Nothing got an answer between the crash and the switch back.
    expect(run.report.services[0]?.downtimeMs, run.log).toBeGreaterThan(0);
    const history = await historyOf(project, 'roma');
    expect(history.releases.filter(({ id }) => isBad(history, id))).toHaveLength(1);
  });
});

describe('case 20b: a file that Compose has to copy into a read-only container', () => {
  it('is refused before anything is touched, and a dry run says so', async () => {
    project = await makeCase('20b-readonly-inline-config', { env: { VER: '1', TOKEN: 'no-real-token' } });
    await project.edit('compose.yml', '    read_only: true\n', '');
    await project.sh('docker compose up -d --wait');
    const container = await project.containerId('web');
    await project.edit('compose.yml', '    ports:', '    read_only: true\n    ports:');
    const watch = await watchInventory(project);
    const run = await project.predict('code-update', { service: 'web' });
    expect(run.report, run.log).toMatchObject({ outcome: 'refused', changed: false, error: { code: 'E_GATE' } });
    expect(run.report.error?.message).toContain('read_only');
    expect(await project.containerId('web')).toBe(container);
    expect(
      (await watch.changes()).filter((line) => line.includes(' container ') && !line.includes('.records')),
    ).toEqual([]);
    watch.close();
    const history = await historyOf(project, 'web');
    expect(history.releases.some(({ id }) => isBad(history, id))).toBe(false);
  });
});

describe('case 36: a restore after the stack and its volume are gone', () => {
  it('finds its tools in the image of the service', async () => {
    project = await makeCase('36-restore-without-container');
    const [volume, external] = [`${project.name}-custom`, `${project.name}-ext`];
    await docker('volume', 'create', external);
    try {
      await project.sh('docker compose up -d --wait');
      await docker('exec', await project.containerId('db'), 'sh', '-c', 'echo kept > /data/file');
      const backupDir = `${project.root}/backups`;
      const saved = await project.predict('backup', { service: 'db', 'backup-dir': backupDir });
      expect(saved.report.outcome, saved.log).toBe('completed');
      await project.sh('docker compose down');
      await docker('volume', 'rm', volume);
      const restored = await project.predict('restore', { service: 'db', backup: 'latest', 'backup-dir': backupDir });
      expect(restored.report.outcome, restored.log).toBe('deployed');
      await project.sh('docker compose up -d --wait');
      expect(await docker('exec', await project.containerId('db'), 'cat', '/data/file')).toBe('kept');
      const labels = await docker('volume', 'inspect', '--format', '{{json .Labels}}', volume);
      expect(JSON.parse(labels)).toMatchObject({ keep: 'me', 'com.docker.compose.volume': 'pg' });
    } finally {
      await project.sh('docker compose down --volumes', { mayFail: true });
      await docker('volume', 'rm', '--force', external);
    }
  });
});
