import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BackupManifest } from '../../src/model/backup.js';
import { ticked } from '../support/checklist.js';
import { openDoor } from '../support/doors.js';
import { docker } from '../support/engine-containers.js';
import { deploy, ledgerOf, update } from '../support/live.js';
import { carryOut } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';

const WITH_DATA = '    volumes:\n      - state:/data\n      - ./uploads:/app/uploads\nvolumes:\n  state:\n';

/** One project; each test goes on from where the one before left it. */
describe('backup', () => {
  let project: Project;
  let backups = '';
  let release: string | undefined;

  beforeAll(async () => {
    project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': served({ more: WITH_DATA }) } });
    await mkdir(path.join(project.dir, 'uploads'));
    backups = path.join(project.root, 'backups');
    const { report } = await deploy(project, 'app');
    release = report.services[0]?.release;
    await docker('exec', await project.containerId('app'), 'sh', '-c', FILL);
  });

  afterAll(async () => {
    await project.cleanup();
  });

  const backUp = (inputs: Readonly<Record<string, string>> = {}) =>
    carryOut(project, { procedure: 'backup', service: 'app', 'backup-dir': backups, ...inputs });
  const folders = async (): Promise<string[]> => (await readdir(path.join(backups, project.name, 'app'))).sort();
  const manifestOf = async (id: string): Promise<BackupManifest> =>
    JSON.parse(await readFile(path.join(backups, project.name, 'app', id, 'manifest.json'), 'utf8')) as BackupManifest;

  it('pauses, reads, goes on, reads back, and ties the backup to the release', async () => {
    const before = await project.inspect('app');
    const { report, log } = await backUp({ 'backup-paths': '/app/uploads' });
    expect(report.outcome, log).toBe('completed');
    expect(report.changed).toBe(false);
    const [id = ''] = await folders();
    expect(ticked(report, 'Backed up state').state).toBe('done');
    expect(ticked(report, 'Backed up state').detail).toContain(id);
    const manifest = await manifestOf(id);
    expect(manifest).toMatchObject({ id, project: project.name, service: 'app', release, consistency: 'pause' });
    expect(manifest.entries.map(({ kind, target }) => [kind, target])).toEqual([
      ['volume', '/data'],
      ['bind', '/app/uploads'],
    ]);
    const folder = path.join(backups, project.name, 'app', id);
    // Checked and read with the tools that every host has.
    execFileSync('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: folder });
    const listing = execFileSync('tar', ['tvzf', 'state.tar.gz', '--numeric-owner'], { cwd: folder, encoding: 'utf8' });
    expect(listing).toMatch(/^-rwsr-x--- 1234\/55 .* state\/deep\/owned$/m);
    expect(listing).toMatch(/^lrwxrwxrwx .* state\/link -> \.\.\/elsewhere$/m);
    expect(await docker('exec', before.Id, 'sh', '-c', 'cat /data/deep/owned')).toBe('hello');
    const after = await project.inspect('app');
    expect(after.State).toMatchObject({ Paused: false, Running: true, StartedAt: before.State.StartedAt });
    expect(log).toContain('its data stood still for');
    expect(await leftContainers(project)).toEqual([]);
  });

  it('leaves a service as it is that Docker calls unhealthy for the pause alone', async () => {
    const rarely = served({ more: WITH_DATA }).replace('interval: 1s', 'interval: 1h\n      start_interval: 200ms');
    const other = await makeProject({ fixture: 'plain', files: { 'compose.yaml': rarely } });
    try {
      expect((await deploy(other, 'app')).report.outcome).toBe('deployed');
      const before = await other.inspect('app');
      // Past its start period, the next probe is an hour away.
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      await carryOut(other, { procedure: 'backup', service: 'app', 'backup-dir': backups });
      expect((await other.inspect('app')).State.Health).toMatchObject({ Status: 'unhealthy', FailingStreak: 0 });
      const again = await update(other, 'app');
      expect(again.report.outcome, again.log).toBe('unchanged');
      expect((await other.inspect('app')).Id).toBe(before.Id);
    } finally {
      await other.cleanup();
    }
  });

  it('stops and starts when that is wanted, and waits until the service is ready again', async () => {
    const before = await project.inspect('app');
    const { report, log } = await backUp({ 'backup-consistency': 'stop' });
    expect(report.outcome, log).toBe('completed');
    const after = await project.inspect('app');
    expect(after.Id).toBe(before.Id);
    expect(after.State.StartedAt > before.State.StartedAt).toBe(true);
    expect((await project.get('/')).status).toBe(200);
  });

  it('runs a command that makes the service stand still, and the one after it, also when the backup fails', async () => {
    const said = path.join(project.root, 'said');
    const commands = {
      'quiesce-command': `echo quiesce $ROLLING_RESTART_SERVICE >> ${said}`,
      'resume-command': `echo resume >> ${said}`,
    };
    const { report, log } = await backUp(commands);
    expect(report.outcome, log).toBe('completed');
    const failing = await backUp({ ...commands, 'quiesce-command': `${commands['quiesce-command']}; exit 4` });
    expect(failing.report.outcome, failing.log).toBe('failed');
    expect(failing.report.changed).toBe(false);
    expect(await readFile(said, 'utf8')).toBe('quiesce app\nresume\nquiesce app\nresume\n');
    expect((await folders()).filter((name) => name.endsWith('.partial'))).toEqual([]);
  });

  it('keeps as many as are wanted, the newest always, and writes deletions into the ledger', async () => {
    const before = await Promise.all((await folders()).map(manifestOf));
    expect(before).toHaveLength(3);
    const newest = before.toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at)).at(-1);
    const { report, log } = await backUp({ 'backup-keep': '2', 'backup-max-age': '1m' });
    expect(report.outcome, log).toBe('completed');
    const after = await folders();
    expect(after).toHaveLength(2);
    expect(after).toContain(newest?.id);
  });

  it('refuses before anything when the disk is too small, and leaves nothing behind when it fills up', async () => {
    const small = await mkdtemp(path.join(project.root, 'small-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', small]);
    try {
      const before = await project.inspect('app');
      const refused = await backUp({ 'backup-dir': small, 'min-free-disk': '100MB' });
      expect(refused.report.outcome, refused.log).toBe('refused');
      expect(refused.report.error?.code).toBe('E_GATE');
      // What lies in a folder of the host is not known before: it fills the disk.
      const uploads = path.join(project.dir, 'uploads');
      execFileSync('sh', ['-c', `head -c 8000000 /dev/urandom > ${uploads}/noise`]);
      const failed = await backUp({ 'backup-dir': small, 'backup-paths': '/app/uploads', 'min-free-disk': '0' });
      expect(failed.report.outcome, failed.log).toBe('failed');
      expect(failed.report.error?.code).toBe('E_DISK_FULL');
      expect(failed.report.changed).toBe(false);
      expect(await readdir(small)).toEqual([]);
      const after = await project.inspect('app');
      expect(after.State).toMatchObject({ Paused: false, Running: true, StartedAt: before.State.StartedAt });
    } finally {
      execFileSync('umount', [small]);
      await rm(small, { recursive: true });
    }
  });

  it('killed while the service is paused: it is unpaused at once, and the next run removes what was half written', async () => {
    await docker('exec', await project.containerId('app'), 'sh', '-c', 'head -c 60000000 /dev/urandom > /data/noise');
    const door = openDoor(project, 'main', { procedure: 'backup', service: 'app', 'backup-dir': backups });
    await door.said(/✓ pause /);
    await expect.poll(folders, { timeout: 20_000, interval: 5 }).toContainEqual(expect.stringMatching(/\.partial$/));
    await door.kill();
    // Nobody has to come for that: a process of its own does it.
    await expect.poll(async () => (await project.inspect('app')).State.Paused, { timeout: 20_000 }).toBe(false);
    expect((await folders()).filter((name) => name.endsWith('.partial'))).toHaveLength(1);
    const { report, log } = await backUp();
    expect(report.outcome, log).toBe('completed');
    expect((await project.inspect('app')).State.Paused).toBe(false);
    expect((await folders()).filter((name) => name.endsWith('.partial'))).toEqual([]);
    expect(await leftContainers(project)).toEqual([]);
  });

  it('a damaged archive is listed as such, and is not what is kept', async () => {
    const before = await folders();
    const newest = path.join(backups, project.name, 'app', before.at(-1) ?? '');
    await truncate(path.join(newest, 'state.tar.gz'), 1_000);
    const { report, log } = await backUp({ 'backup-keep': '1' });
    expect(report.outcome, log).toBe('completed');
    const rows = report.findings.flatMap((finding) => finding.rows);
    expect(rows.find(([id]) => id === before.at(-1))).toContain('not whole: cannot be restored');
    expect(rows.filter((row) => !row.includes('not whole: cannot be restored'))).toHaveLength(1);
  });

  it('by age: older ones go once a new one is whole, never the only good one, and the ledger says which went', async () => {
    await docker('exec', await project.containerId('app'), 'rm', '-f', '/data/noise');
    const aged = path.join(project.root, 'aged');
    const within = path.join(aged, project.name, 'app');
    const run = (inputs: Readonly<Record<string, string>> = {}) => backUp({ 'backup-dir': aged, ...inputs });
    const there = async (): Promise<string[]> => (await readdir(within)).sort();
    /** Takes one. @returns its id */
    const taken = async (inputs: Readonly<Record<string, string>> = {}): Promise<string> => {
      const had = await readdir(within).catch((): string[] => []);
      const { report, log } = await run(inputs);
      expect(report.outcome, log).toBe('completed');
      return (await there()).find((id) => !had.includes(id)) ?? '';
    };
    /** As if it had been taken that long ago. */
    const age = async (id: string, days: number): Promise<void> => {
      const folder = path.join(within, id);
      const file = path.join(folder, 'manifest.json');
      const manifest = JSON.parse(await readFile(file, 'utf8')) as BackupManifest;
      const at = new Date(Date.now() - days * 86_400_000).toISOString();
      await writeFile(file, JSON.stringify({ ...manifest, at }));
      execFileSync('sh', ['-c', 'sha256sum *.tar.gz manifest.json > SHA256SUMS'], { cwd: folder });
    };
    const failing = { 'backup-max-age': '1d', 'backup-consistency': 'quiesce', 'quiesce-command': 'exit 4' };
    const [first, second, recent] = [await taken(), await taken(), await taken()];
    await age(first, 3);
    await age(second, 2);
    const newest = await taken({ 'backup-max-age': '1d' });
    expect(await there()).toEqual([recent, newest].sort());
    const records = await (await ledgerOf(project)).backupRecords('app');
    const deleted = records.filter(({ kind, directory }) => kind === 'deleted' && directory.startsWith(within));
    expect(deleted.map(({ backup }) => backup).sort()).toEqual([first, second].sort());

    // All of them too old, and the next one fails: what there is stays.
    await age(recent, 3);
    await age(newest, 2);
    const failed = await run(failing);
    expect(failed.report.outcome, failed.log).toBe('failed');
    expect(await there()).toEqual([recent, newest].sort());

    // One that is cut short is none: the old one is the only good one, and goes only when there is another.
    const cut = await taken({ 'backup-keep': '1' });
    expect(await there()).toEqual([cut]);
    const only = await taken();
    await age(only, 30);
    await truncate(path.join(within, cut, 'state.tar.gz'), 10);
    const again = await run(failing);
    expect(again.report.outcome, again.log).toBe('failed');
    expect(await there()).toContain(only);
    const good = await taken({ 'backup-max-age': '1d', 'backup-keep': '1' });
    expect(await there()).toEqual([cut, good].sort());
    const restored = await carryOut(project, {
      ...{ procedure: 'restore', service: 'app', backup: 'latest', 'backup-dir': aged },
    });
    expect(restored.report.headline, restored.log).toContain(`backup ${good}`);
  });
});

const FILL =
  'mkdir -p /data/deep && printf hello > /data/deep/owned && chown 1234:55 /data/deep/owned && chmod 4750 /data/deep/owned && ln -s ../elsewhere /data/link';

/** Containers of ours that read volumes. */
async function leftContainers(project: Project): Promise<readonly string[]> {
  const listed = await docker(
    'ps',
    '-aq',
    '--filter',
    `label=rolling-restart.project=${project.name}`,
    '--filter',
    'label=rolling-restart.helper',
  );
  return listed.split('\n').filter((line) => line !== '');
}
