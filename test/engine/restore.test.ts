import { execFileSync } from 'node:child_process';
import { cp, mkdir, readdir, truncate } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDoor } from '../support/doors.js';
import { docker } from '../support/engine-containers.js';
import { deploy } from '../support/live.js';
import { carryOut } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';

const WITH_DATA = '    volumes:\n      - state:/data\nvolumes:\n  state:\n';

/** 200 MB in files of every kind: owners, modes, links both ways, a fifo, names that are hard to delete. */
const FILL = `set -e; cd /data
mkdir -p tree/deep .hidden "..odd"; chmod 1777 tree; chown 1234:55 tree/deep; chmod 2750 tree/deep
head -c 10000000 /dev/urandom > tree/deep/noise; chown 1234:55 tree/deep/noise; chmod 640 tree/deep/noise
i=0; while [ $i -lt 19 ]; do seq $((i*2000000+10000000)) $((i*2000000+11120000)) > tree/part-$i; i=$((i+1)); done
cp /bin/true tree/suid; chown 9:9 tree/suid; chmod 4755 tree/suid
ln tree/deep/noise tree/again; ln -s ../elsewhere tree/link; ln -s /etc/passwd "tree/a b"; mkfifo tree/pipe
printf x > .hidden/x; printf y > "..odd/y"; printf z > "-rf"; chmod 750 /data; chown 7:8 /data`;

/** One project; each test goes on from where the one before left it. */
describe('restore', () => {
  let project: Project;
  let backups = '';
  let whole = '';

  beforeAll(async () => {
    project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': served({ more: WITH_DATA }) } });
    backups = path.join(project.root, 'backups');
    await deploy(project, 'app');
    await inApp(project, FILL);
  });

  afterAll(async () => {
    await project.cleanup();
  });

  const run = (inputs: Readonly<Record<string, string>>) =>
    carryOut(project, { service: 'app', 'backup-dir': backups, ...inputs });
  const ids = async (): Promise<string[]> => (await readdir(path.join(backups, project.name, 'app'))).sort();

  it('brings 200 MB back bit for bit, with owners, modes and links, and keeps what was there as a backup', async () => {
    whole = await sumOf(project);
    const saved = await run({ procedure: 'backup' });
    expect(saved.report.outcome, saved.log).toBe('completed');
    const [id = ''] = await ids();
    await inApp(
      project,
      'cd /data; rm -r tree/deep; echo broken > tree/part-0; mkdir tree/part-1.d; touch new; chmod 777 .',
    );
    const container = await project.containerId('app');
    const { report, log } = await run({ procedure: 'restore', backup: 'latest' });
    expect(report.outcome, log).toBe('deployed');
    expect(await sumOf(project)).toBe(whole);
    expect(await project.containerId('app')).toBe(container);
    expect((await project.get('/')).status).toBe(200);
    // What was there is a backup of its own.
    const safety = (await ids()).at(-1) ?? '';
    expect(safety).not.toBe(id);
    // 200 MB once are enough: what follows is about less.
    await inApp(project, 'rm /data/tree/part-*');
    const small = await run({ procedure: 'backup', 'backup-keep': '1' });
    expect(small.report.outcome, small.log).toBe('completed');
  }, 300_000);

  it('puts the data of before back when the service does not work with what was restored', async () => {
    await inApp(project, 'touch /data/newer');
    const newer = await sumOf(project);
    const { report, log } = await run({
      procedure: 'restore',
      backup: 'latest',
      'smoke-test': `docker exec $ROLLING_RESTART_CONTAINER test -e /data/newer`,
    });
    expect(report.outcome, log).toBe('rolled-back');
    expect(report.changed).toBe(false);
    expect(await sumOf(project)).toBe(newer);
    expect((await project.get('/')).status).toBe(200);
  });

  it('refuses what is not whole, of another service, or not there, and touches nothing', async () => {
    const before = await project.inspect('app');
    const sum = await sumOf(project);
    const [id = ''] = await ids();
    const folder = path.join(backups, project.name, 'app');
    await cp(path.join(folder, id), path.join(folder, `${id}-cut`), { recursive: true });
    await truncate(path.join(folder, `${id}-cut`, 'state.tar.gz'), 500_000);
    execFileSync('cp', ['-r', path.join(folder, id), path.join(folder, `${id}-flip`)]);
    execFileSync('sh', ['-c', `printf X | dd of=state.tar.gz bs=1 seek=300000 conv=notrunc status=none`], {
      cwd: path.join(folder, `${id}-flip`),
    });
    await mkdir(path.join(backups, 'other', 'app'), { recursive: true });
    const refusals: readonly (readonly [string, RegExp])[] = [
      [`${id}-cut`, /is not whole/],
      [`${id}-flip`, /is not whole/],
      ['20200101T000000Z-abcdef', /There is no backup/],
      ['../../other/app', /is not the id of a backup/],
    ];
    for (const [backup, words] of refusals) {
      const { report, log } = await run({ procedure: 'restore', backup });
      expect(report.outcome, log).toBe('refused');
      expect(report.error?.code).toBe('E_BACKUP');
      expect(report.error?.message).toMatch(words);
    }
    execFileSync('rm', ['-r', path.join(folder, `${id}-cut`), path.join(folder, `${id}-flip`)]);
    // The same folder, in the place of another project.
    await cp(path.join(folder, id), path.join(backups, 'foreign', 'app', id), { recursive: true });
    execFileSync('sh', [
      '-c',
      `mv "${folder}" "${folder}.own" && cp -r "${backups}/foreign/app" "${folder}" && sed -i s/${project.name}/foreign/ "${folder}/${id}/manifest.json" && cd "${folder}/${id}" && sha256sum *.tar.gz manifest.json > SHA256SUMS`,
    ]);
    const wrong = await run({ procedure: 'restore', backup: id });
    execFileSync('sh', ['-c', `rm -r "${folder}" && mv "${folder}.own" "${folder}"`]);
    expect(wrong.report.outcome, wrong.log).toBe('refused');
    expect(wrong.report.error?.message).toContain('in project foreign');
    const after = await project.inspect('app');
    expect([after.Id, after.State.StartedAt]).toEqual([before.Id, before.State.StartedAt]);
    expect(await sumOf(project)).toBe(sum);
  });

  it('killed between emptying and filling: the next run puts the data of before back and starts the service', async () => {
    const sum = await sumOf(project);
    const door = openDoor(project, 'main', {
      procedure: 'restore',
      service: 'app',
      backup: 'latest',
      'backup-dir': backups,
    });
    await door.said(/✓ read backup .* back/);
    // What reads and writes the volume is there: the data begins to be neither what it was nor what it is to be.
    const deleting = ['ps', '-aq', '--filter', `label=rolling-restart.data=${project.name}`];
    await expect.poll(() => docker(...deleting), { timeout: 20_000, interval: 10 }).not.toBe('');
    await door.kill();
    const { State } = await project.inspect('app');
    expect(State.Running).toBe(false);
    const repaired = await run({ procedure: 'health-restart' });
    expect(repaired.log).toMatch(/recovered: app: the data of before is back/);
    expect(await sumOf(project)).toBe(sum);
    await project.waitUntilHealthy('app');
  });
});

function inApp(project: Project, script: string): Promise<string> {
  return docker('run', '--rm', '-v', `${project.name}_state:/data`, '--user', '0', BASE, 'sh', '-c', script);
}

const BASE = process.env['ROLLING_RESTART_TEST_BASE_IMAGE'] ?? 'rolling-restart-base:node';

/** Names, kinds, owners, modes, link targets and contents of everything in the volume, as one checksum. */
function sumOf(project: Project): Promise<string> {
  return inApp(
    project,
    `cd /data; { find . -exec stat -c '%n %F %a %u %g %h' {} + ; find . -type l -exec readlink {} \\; ; find . -type f -exec md5sum {} + ; } | sort | md5sum`,
  );
}
