import { readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ticked } from '../support/checklist.js';
import { deploy, liveOf } from '../support/live.js';
import { carryOut } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';
import { FILL_200_MB, inVolume, sumOf } from '../support/volume-data.js';

const WITH_DATA = '    volumes:\n      - state:/data\nvolumes:\n  state:\n';

/** The runbook's "data and code together", on as much data as a service has. */
describe('rollback with data', () => {
  let project: Project;
  let backups = '';

  beforeAll(async () => {
    project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': served({ more: WITH_DATA }) } });
    backups = path.join(project.root, 'backups');
    await deploy(project, 'app');
    await inVolume(project, FILL_200_MB);
  });
  afterAll(() => project.cleanup());

  const ids = async (): Promise<string[]> => (await readdir(path.join(backups, project.name, 'app'))).sort();

  it('brings the release of before and its 200 MB back, bit for bit, and keeps what was written since', async () => {
    const first = await liveOf(project, 'app');
    const whole = await sumOf(project);
    await project.commitRelease({ version: '2.0.0' });
    // The backup is taken by the update itself: what there was as long as the first release ran.
    await deploy(project, 'app', { backup: 'before', 'backup-dir': backups });
    expect((await project.get('/')).text).toMatch(/^2\.0\.0 /);
    const [taken = ''] = await ids();
    await inVolume(
      project,
      'cd /data; rm -r tree/deep .hidden; echo migrated > tree/part-0; mkdir new; touch new/file; chmod 777 .; chown 0:0 .',
    );
    const migrated = await sumOf(project);
    expect(migrated).not.toBe(whole);

    const inputs = { procedure: 'rollback', service: 'app', 'with-data': 'true', 'backup-dir': backups };
    // Cut short, it is refused before anything, and no other is taken in its place.
    const archive = path.join(backups, project.name, 'app', taken, 'state.tar.gz');
    const content = await readFile(archive);
    await truncate(archive, content.length - 1);
    const second = await project.containerId('app');
    const refused = await carryOut(project, inputs);
    expect(refused.report.outcome, refused.log).toBe('refused');
    expect(refused.report.error).toMatchObject({
      code: 'E_BACKUP',
      message: expect.stringMatching(new RegExp(`newest backup of app .*${taken} is not whole`)) as string,
    });
    expect(await project.containerId('app')).toBe(second);
    expect(await sumOf(project)).toBe(migrated);
    await writeFile(archive, content);

    const { report, log } = await carryOut(project, inputs);
    expect(report.outcome, log).toBe('deployed');
    expect(await sumOf(project)).toBe(whole);
    expect((await project.get('/')).text).toMatch(/^1\.0\.0 /);
    const live = await liveOf(project, 'app');
    expect([live.release, live.image, live.commit]).toEqual([first.release, first.image, first.commit]);
    expect(log).toMatch(new RegExp(`its data becomes that of backup ${taken}`));
    const safety = (await ids()).filter((id) => id !== taken);
    expect(safety).toHaveLength(1);
    expect(ticked(report, 'Backed up state')).toMatchObject({
      state: 'done',
      detail: expect.stringMatching(new RegExp(`^app: ${safety[0] ?? ''}, .* whole$`)) as string,
    });

    // What the newer release wrote is whole as well, in the backup that was taken on the way back.
    const restored = await carryOut(project, {
      ...{ procedure: 'restore', service: 'app', backup: safety[0] ?? '', 'backup-dir': backups },
    });
    expect(restored.report.outcome, restored.log).toBe('deployed');
    expect(await sumOf(project)).toBe(migrated);
  }, 300_000);
});
