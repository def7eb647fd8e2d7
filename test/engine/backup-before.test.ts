import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BackupManifest } from '../../src/model/backup.js';
import { ticked } from '../support/checklist.js';
import { EDGE_IMAGE } from '../support/edge.js';
import { docker } from '../support/engine-containers.js';
import { deploy } from '../support/live.js';
import { carryOut, type Carried } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';

const COMPOSE = `${served({ more: '    volumes: [state:/data, ./uploads:/app/uploads]\n' })}  side:
    image: \${COMPOSE_PROJECT_NAME}-app
    depends_on: [app]
    stop_grace_period: 1s
    volumes: [other:/other]
volumes:
  state:
  other:
`;

/** One project; each test goes on from where the one before left it. */
describe('backup: before, of what stops and starts', () => {
  let project: Project;
  let backups = '';
  let full = '';
  let mounted = false;

  beforeAll(async () => {
    project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': COMPOSE } });
    backups = path.join(project.root, 'backups');
    await mkdir(path.join(project.dir, 'uploads'));
    execFileSync('sh', ['-c', 'head -c 3000000 /dev/urandom > uploads/noise'], { cwd: project.dir });
    await project.compose(['build']);
    full = await mkdtemp(path.join(project.root, 'full-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', full]);
    mounted = true;
  });

  afterAll(async () => {
    if (mounted) execFileSync('umount', [full]);
    await project.cleanup();
  });

  const run = (inputs: Readonly<Record<string, string>>): Promise<Carried> =>
    carryOut(project, { backup: 'before', 'backup-dir': backups, ...inputs });
  /** What lies in a folder of the host is not known before: it fills the disk when the backup has begun. */
  const runOutOfSpace = (inputs: Readonly<Record<string, string>>): Promise<Carried> =>
    run({ ...inputs, 'backup-dir': full, 'backup-paths': '/app/uploads', 'min-free-disk': '0' });
  const mark = async (text: string): Promise<void> => {
    await docker('exec', await project.containerId('app'), 'sh', '-c', `echo ${text} > /data/mark`);
  };
  const saved = async (service = 'app'): Promise<string[]> =>
    (await readdir(path.join(backups, project.name, service)).catch(() => [])).sort();
  /** What a backup holds, read with the tools that every host has. */
  const markIn = (id: string): string =>
    execFileSync('tar', ['xzOf', path.join(backups, project.name, 'app', id, 'state.tar.gz'), 'state/mark'], {
      encoding: 'utf8',
    });
  const kinds = ({ report }: Carried): string[] => (report.plan?.services[0]?.operations ?? []).map(({ kind }) => kind);

  it('a first deploy: its volumes are not there yet, there is nothing to back up, and Compose makes them', async () => {
    const { log, report } = await deploy(project, 'app,side', { backup: 'before', 'backup-dir': backups });
    expect(ticked(report, 'Backed up state').state).toBe('not-asked');
    expect(log).toContain('app has no data yet: there is nothing to back up');
    expect(await saved()).toEqual([]);
    const label = '{{index .Labels "com.docker.compose.volume"}}';
    expect(await docker('volume', 'inspect', '--format', label, `${project.name}_state`)).toBe('state');
    await mark('first');
  });

  it('stop: a dry run plans it before anything is recorded; the backup holds what was there, then it stops', async () => {
    const dry = await run({ procedure: 'stop', service: 'app', 'dry-run': 'true' });
    expect(kinds(dry), dry.log).toEqual([
      'capture-evidence',
      'freeze-data',
      'save-data',
      'thaw-data',
      'keep-backup',
      'record-stop',
      'stop-containers',
      'verify',
    ]);
    expect(await saved()).toEqual([]);
    const { report, log } = await run({ procedure: 'stop', service: 'app' });
    expect(report, log).toMatchObject({ outcome: 'completed', changed: true });
    expect((await project.inspect('app')).State).toMatchObject({ Status: 'exited', Paused: false });
    const [id = ''] = await saved();
    expect(markIn(id)).toBe('first\n');
    const row = ticked(report, 'Backed up state');
    expect(row.state).toBe('done');
    expect(row.detail).toMatch(new RegExp(`^app: ${id}, .* read back whole$`));
    const text = await readFile(path.join(backups, project.name, 'app', id, 'manifest.json'), 'utf8');
    expect(JSON.parse(text) as BackupManifest).toMatchObject({ service: 'app', reason: 'before', procedure: 'stop' });
  });

  it('start: the backup is of what nothing runs on; when it fails, nothing is started and the stop counts on', async () => {
    const failed = await runOutOfSpace({ procedure: 'start', service: 'app' });
    expect(failed.report, failed.log).toMatchObject({
      outcome: 'failed',
      changed: false,
      error: { code: 'E_DISK_FULL' },
    });
    expect(failed.report.headline).toContain('app was not started');
    expect(ticked(failed.report, 'Backed up state')).toMatchObject({
      state: 'failed',
      detail: expect.stringMatching(/^app: no backup was taken \(The disk was full/) as string,
    });
    expect((await project.inspect('app')).State.Status).toBe('exited');
    const refused = await carryOut(project, { procedure: 'health-restart', service: 'app' });
    expect(refused.report.error?.message, refused.log).toContain('is stopped on purpose');

    const { report, log } = await run({ procedure: 'start', service: 'app' });
    expect(report, log).toMatchObject({ outcome: 'deployed', changed: true });
    expect(await saved()).toHaveLength(2);
    expect(log).toContain('Nothing of app runs: its data stands still.');
    expect((await project.get('/')).status).toBe(200);
  });

  it('stop and full-restart: when the backup fails, everything runs on as it was', async () => {
    const before = [await project.inspect('app'), await project.inspect('side')];
    for (const inputs of [{ procedure: 'stop', service: 'app' }, { procedure: 'full-restart' }]) {
      const { report, log } = await runOutOfSpace(inputs);
      expect(report, log).toMatchObject({ outcome: 'failed', changed: false, error: { code: 'E_DISK_FULL' } });
      expect(report.headline).toMatch(/was not stopped|nothing was taken down/);
    }
    for (const { Id, State, Config } of before) {
      const service = Config.Labels['com.docker.compose.service'] ?? '';
      const now = await project.inspect(service);
      expect([now.Id, now.State.StartedAt, now.State.Paused]).toEqual([Id, State.StartedAt, false]);
    }
    expect(await readdir(full)).toEqual([]);
    const unstopped = await carryOut(project, { procedure: 'check' });
    expect(unstopped.report.headline, unstopped.log).not.toContain('stopped on purpose');
  });

  it('full-restart: every service with data is backed up before anything goes down', async () => {
    await mark('second');
    const { report, log } = await run({ procedure: 'full-restart' });
    expect(report.outcome, log).toBe('deployed');
    const preparation = report.plan?.preparation.map(({ kind }) => kind) ?? [];
    const lastSaved = preparation.lastIndexOf('keep-backup');
    expect(preparation.filter((kind) => kind === 'keep-backup')).toHaveLength(2);
    expect(ticked(report, 'Backed up state')).toMatchObject({
      state: 'done',
      detail: expect.stringMatching(/^app: .* whole; side: .* whole$/) as string,
    });
    expect(lastSaved).toBeLessThan(preparation.indexOf('stop-containers'));
    expect(log.lastIndexOf('read back')).toBeLessThan(log.indexOf('✓ stop '));
    expect(markIn((await saved()).at(-1) ?? '')).toBe('second\n');
    expect(await saved('side')).toHaveLength(1);
    expect((await project.get('/')).status).toBe(200);
  });

  it('emergency: a backup that fails holds nothing up, and is told', async () => {
    const before = await project.containerId('app');
    const { report, log } = await runOutOfSpace({ procedure: 'emergency', service: 'app' });
    expect(report.outcome, log).toBe('deployed');
    expect(await project.containerId('app')).not.toBe(before);
    expect(report.nextSteps.join('\n')).toContain('there is no backup of what it had before');
    expect((await project.get('/')).status).toBe(200);
  });
});

const SHARED = 'x-rolling-restart:\n  services:\n    app:\n      shared-volumes: [state]\n';

describe('backup: before, of a service that leaves its edge', () => {
  let project: Project;
  let backups = '';

  beforeAll(async () => {
    const data = `${served({ more: '    volumes: [state:/data]\n' })}volumes:\n  state:\n${SHARED}`;
    project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': data } });
    backups = path.join(project.root, 'backups');
    await deploy(project, 'app', { strategy: 'recreate' });
    await project.commitRelease({ version: '1.1.0' });
    await deploy(project, 'app', { 'edge-image': EDGE_IMAGE, router: 'edge', strategy: 'blue-green' });
  });
  afterAll(() => project.cleanup());

  const eject = (inputs: Readonly<Record<string, string>> = {}): Promise<Carried> =>
    carryOut(project, { procedure: 'eject', service: 'app', backup: 'before', 'backup-dir': backups, ...inputs });
  const edges = (): Promise<string> =>
    docker(
      'ps',
      '-q',
      '--filter',
      'label=rolling-restart.edge',
      '--filter',
      `label=rolling-restart.project=${project.name}`,
    );

  it('eject: when the backup fails, the edge has the ports as before, and nothing goes back', async () => {
    const before = [await project.containerId('app'), await edges()];
    const { report, log } = await eject({ 'backup-consistency': 'quiesce', 'quiesce-command': 'exit 4' });
    expect(report, log).toMatchObject({ outcome: 'failed', changed: false, error: { code: 'E_COMMAND' } });
    expect(report.headline).toContain('it goes through the edge as before');
    expect(log).not.toContain('✓ close');
    expect([await project.containerId('app'), await edges()]).toEqual(before);
    expect((await project.get('/')).text).toMatch(/^1\.1\.0 /);
  });

  it('eject: the data is saved before the ports change hands', async () => {
    const { report, log } = await eject();
    expect(report.outcome, log).toBe('deployed');
    const kinds = report.plan?.services[0]?.operations.map(({ kind }) => kind) ?? [];
    expect(kinds.indexOf('keep-backup')).toBeGreaterThan(0);
    expect(kinds.indexOf('keep-backup')).toBeLessThan(kinds.indexOf('close-ports'));
    expect(await readdir(path.join(backups, project.name, 'app'))).toHaveLength(1);
    expect(await edges()).toBe('');
    expect((await project.get('/')).text).toMatch(/^1\.1\.0 /);
  });
});
