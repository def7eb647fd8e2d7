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
import { FILL_200_MB, inVolume, sumOf } from '../support/volume-data.js';

const WITH_DATA = '    volumes:\n      - state:/data\nvolumes:\n  state:\n';

/** One project; each test goes on from where the one before left it. */
describe('restore', () => {
  let project: Project;
  let backups = '';
  let whole = '';

  beforeAll(async () => {
    project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': served({ more: WITH_DATA }) } });
    backups = path.join(project.root, 'backups');
    await deploy(project, 'app');
    await inVolume(project, FILL_200_MB);
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
    await inVolume(
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
    await inVolume(project, 'rm /data/tree/part-*');
    const small = await run({ procedure: 'backup', 'backup-keep': '1' });
    expect(small.report.outcome, small.log).toBe('completed');
  }, 300_000);

  it('puts the data of before back when the service does not work with what was restored', async () => {
    await inVolume(project, 'touch /data/newer');
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
    // The newest one is what `latest` means, also when it is not whole: an older one is not taken in silence.
    const newest = '20990101T000000Z-abcdef';
    await cp(path.join(folder, id), path.join(folder, newest), { recursive: true });
    await truncate(path.join(folder, newest, 'state.tar.gz'), 500_000);
    const latest = await run({ procedure: 'restore', backup: 'latest' });
    expect(latest.report.outcome, latest.log).toBe('refused');
    expect(latest.report.error?.message).toMatch(
      new RegExp(`newest backup of app .*${newest} is not whole: state.tar.gz`),
    );
    expect(latest.report.error?.next).toContain(`backup: ${id}`);
    const checked = await run({ procedure: 'check' });
    expect(JSON.stringify(checked.report.findings)).toContain(`["${newest}",`);
    expect(checked.log).toContain(`${newest} is not whole`);
    execFileSync('rm', ['-r', path.join(folder, newest)]);
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
    const deleting = [
      'ps',
      '-aq',
      '--filter',
      `label=rolling-restart.project=${project.name}`,
      '--filter',
      'label=rolling-restart.helper',
    ];
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

const NEIGHBOUR = `${served({ more: '    volumes: [state:/data]\n' })}  side:
    image: \${COMPOSE_PROJECT_NAME}-app
    stop_grace_period: 1s
    volumes: [other:/data]
volumes:
  state:
  other:
`;

describe('restore, of two services of one project', () => {
  let project: Project;
  let backups = '';
  beforeAll(async () => {
    project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': NEIGHBOUR } });
    backups = path.join(project.root, 'backups');
    await project.compose(['build']);
    await deploy(project, 'app,side');
    await inVolume(project, 'echo of-the-app > /data/mine');
  });
  afterAll(() => project.cleanup());

  it('refuses an archive of the other one, by its id and in its place, and touches neither', async () => {
    const saved = await carryOut(project, { procedure: 'backup', 'backup-dir': backups });
    expect(saved.report.outcome, saved.log).toBe('completed');
    const [of = ''] = await readdir(path.join(backups, project.name, 'side'));
    const before = [await project.inspect('app'), await project.inspect('side')];
    const restore = (backup: string) =>
      carryOut(project, { procedure: 'restore', service: 'app', backup, 'backup-dir': backups });
    const byId = await restore(of);
    expect(byId.report, byId.log).toMatchObject({ outcome: 'refused', changed: false, error: { code: 'E_BACKUP' } });
    expect(byId.report.error?.message).toBe(`Backup ${of} is of side, and not of app`);
    // Copied to where those of the app are: whole, and of another service all the same.
    await cp(path.join(backups, project.name, 'side', of), path.join(backups, project.name, 'app', of), {
      recursive: true,
    });
    const copied = await restore(of);
    expect(copied.report, copied.log).toMatchObject({
      outcome: 'refused',
      changed: false,
      error: { code: 'E_BACKUP' },
    });
    expect(copied.report.error?.message).toBe(`Backup ${of} is of side in project ${project.name}`);
    for (const { Id, State, Config } of before) {
      const now = await project.inspect(Config.Labels['com.docker.compose.service'] ?? '');
      expect([now.Id, now.State.StartedAt]).toEqual([Id, State.StartedAt]);
    }
    expect(await inVolume(project, 'cat /data/mine')).toBe('of-the-app');
  });
});

const SMALL = `${served({ more: "    volumes: ['state:/data', './uploads/data:/uploads']\n" })}volumes:
  state:
    driver_opts: { type: none, o: bind, device: '\${SMALL}' }
`;

/** The disks of a volume and of a folder are tmpfs of this test, which are made smaller under the service. */
describe('restore onto a disk that is full', () => {
  let project: Project;
  let backups = '';
  const disks: string[] = [];
  const resize = (disk: string, size: string): void => {
    execFileSync('mount', ['-o', `remount,size=${size}`, disk]);
  };
  const mount = async (disk: string): Promise<string> => {
    await mkdir(disk, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=40m', 'tmpfs', disk]);
    disks.push(disk);
    return disk;
  };
  let volume = '';
  let folder = '';

  beforeAll(async () => {
    project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': SMALL } });
    backups = path.join(project.root, 'backups');
    volume = await mount(path.join(project.root, 'volume'));
    folder = path.join(await mount(path.join(project.dir, 'uploads')), 'data');
    await mkdir(folder);
    await project.setEnv({ SMALL: volume });
    await deploy(project, 'app');
    for (const disk of [volume, folder]) {
      execFileSync('sh', ['-c', `head -c 10000000 /dev/urandom > ${disk}/noise; echo kept > ${disk}/kept`]);
    }
  });
  afterAll(async () => {
    await project.compose(['down', '--timeout', '0'], { mayFail: true });
    for (const disk of disks) execFileSync('umount', [disk]);
    await project.cleanup();
  });

  const run = (inputs: Readonly<Record<string, string>>) =>
    carryOut(project, { service: 'app', 'backup-dir': backups, ...inputs });
  const contentOf = (disk: string): string =>
    execFileSync('sh', ['-c', 'find . -type f -exec md5sum {} + | sort -k 2'], { cwd: disk, encoding: 'utf8' });

  it('refuses what cannot fit before anything is stopped; with room again it is restored to the bit', async () => {
    const whole = contentOf(volume);
    const saved = await run({ procedure: 'backup' });
    expect(saved.report.outcome, saved.log).toBe('completed');
    execFileSync('sh', ['-c', 'rm noise; echo newer > newer'], { cwd: volume });
    const newer = contentOf(volume);
    resize(volume, '4m');
    const before = await project.inspect('app');
    const { report, log } = await run({ procedure: 'restore', backup: 'latest' });
    expect(report, log).toMatchObject({ outcome: 'refused', changed: false, error: { code: 'E_GATE' } });
    expect(report.error?.message).toMatch(
      /state needs 10 MB for backup .*, and at most 4\.\d MB can be free on its disk/,
    );
    expect(contentOf(volume)).toBe(newer);
    const after = await project.inspect('app');
    expect([after.Id, after.State.StartedAt]).toEqual([before.Id, before.State.StartedAt]);
    resize(volume, '40m');
    const restored = await run({ procedure: 'restore', backup: 'latest' });
    expect(restored.report.outcome, restored.log).toBe('deployed');
    expect(contentOf(volume)).toBe(whole);
  });

  it('that fills up only while it is restored to: the data of before is back, and the service runs on it', async () => {
    const saved = await run({ procedure: 'backup', 'backup-paths': '/uploads' });
    expect(saved.report.outcome, saved.log).toBe('completed');
    execFileSync('sh', ['-c', 'rm noise; echo newer > newer'], { cwd: folder });
    // Something else takes the room: what the folder itself will give free is not known before.
    const other = path.join(path.dirname(folder), 'other');
    resize(path.dirname(folder), '14m');
    execFileSync('sh', ['-c', `head -c 7000000 /dev/urandom > ${other}`]);
    const [newer, ofVolume] = [contentOf(folder), contentOf(volume)];
    const { report, log } = await run({ procedure: 'restore', backup: 'latest', 'backup-paths': '/uploads' });
    expect(log).toMatch(/gate restore-space: .*uploads\/data needs 10 MB .* are free beside what is there now/);
    expect(report.error?.message).toMatch(/no space left on device/);
    expect(report, log).toMatchObject({ outcome: 'rolled-back', changed: false });
    expect([contentOf(folder), contentOf(volume)]).toEqual([newer, ofVolume]);
    expect((await project.get('/')).status).toBe(200);
    execFileSync('rm', [other]);
    const chosen = saved.report.headline.match(/\d{8}T\w+-\w+/)?.[0] ?? '';
    const restored = await run({ procedure: 'restore', backup: chosen, 'backup-paths': '/uploads' });
    expect(restored.report.outcome, restored.log).toBe('deployed');
    expect(contentOf(folder)).toMatch(/noise/);
  });
});
