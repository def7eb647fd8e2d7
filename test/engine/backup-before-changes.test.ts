import { execFileSync } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRegistry } from '../../scripts/lib/registry.mjs';
import type { BackupManifest } from '../../src/model/backup.js';
import { ticked } from '../support/checklist.js';
import { docker } from '../support/engine-containers.js';
import { deploy, expectUntouched, liveOf } from '../support/live.js';
import { makeOwnBase } from '../support/own-image.js';
import { carryOut, type Carried } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';
import { inVolume } from '../support/volume-data.js';

const compose = (level: string): string =>
  `${served({ environment: { LEVEL: level }, more: '    volumes: [state:/data]\n' })}volumes:\n  state:\n`;

/** One project; each test goes on from where the one before left it. */
describe('backup: before, of what changes a service', () => {
  let project: Project;
  let backups = '';
  let registry: Awaited<ReturnType<typeof startRegistry>>;
  let base = '';

  beforeAll(async () => {
    // A maintenance fetches its base images anew.
    registry = await startRegistry();
    base = `${registry.address}/rr-backup-before-base:latest`;
    await makeOwnBase(base);
    await docker('push', '--quiet', base);
    project = await makeProject({
      fixture: 'plain',
      files: { 'compose.yaml': compose('info') },
      env: { BASE_IMAGE: base },
    });
    backups = path.join(project.root, 'backups');
    await deploy(project, 'app');
  });
  afterAll(async () => {
    await project.cleanup();
    await registry.stop();
    await docker('rmi', '--force', base).catch(() => undefined);
  });

  const folders = async (): Promise<readonly string[]> =>
    readdir(path.join(backups, project.name, 'app')).catch(() => []);
  const run = (inputs: Readonly<Record<string, string>>): Promise<Carried> =>
    carryOut(project, { service: 'app', backup: 'before', 'backup-dir': backups, ...inputs });

  const CASES = {
    'health-restart': {
      inputs: { procedure: 'health-restart' },
      prepare: async () => undefined,
      version: '1.0.0',
      level: 'info',
    },
    'rollback without data': {
      inputs: { procedure: 'rollback' },
      prepare: async () => {
        await project.commitRelease({ version: '2.0.0' });
        await deploy(project, 'app');
      },
      version: '1.0.0',
      level: 'info',
    },
    'maintenance perform': {
      inputs: { procedure: 'maintenance', phase: 'perform' },
      prepare: () => project.commitRelease({ version: '3.0.0' }),
      version: '3.0.0',
      level: 'info',
    },
    'config-change': {
      inputs: { procedure: 'config-change' },
      prepare: () => writeFile(path.join(project.dir, 'compose.yaml'), compose('debug')),
      version: '3.0.0',
      level: 'debug',
    },
  } as const;

  it.each(Object.entries(CASES))(
    '%s: the archive holds what there was, its manifest names the release; without one nothing changes',
    async (what, { inputs, prepare, version, level }) => {
      await prepare();
      await inVolume(project, `echo '${what}' > /data/mark`);
      const [live, had] = [await liveOf(project, 'app'), await folders()];

      const failed = await run({ ...inputs, 'backup-consistency': 'quiesce', 'quiesce-command': 'exit 4' });
      expect(failed.report, failed.log).toMatchObject({ outcome: 'failed', changed: false });
      expect(failed.report.error?.code).toBe('E_COMMAND');
      expect(ticked(failed.report, 'Backed up state').state).toBe('failed');
      await expectUntouched(project, 'app', live, failed.log);
      expect(await folders()).toEqual(had);

      const { report, log } = await run(inputs);
      expect(report.outcome, log).toBe('deployed');
      const [id = '', ...others] = (await folders()).filter((one) => !had.includes(one));
      expect(others).toEqual([]);
      const folder = path.join(backups, project.name, 'app', id);
      const manifest = JSON.parse(await readFile(path.join(folder, 'manifest.json'), 'utf8')) as BackupManifest;
      expect(live.release).toBeDefined();
      expect(manifest).toMatchObject({
        ...{ id, project: project.name, service: 'app', reason: 'before' },
        ...{ procedure: inputs.procedure, release: live.release },
      });
      const held = execFileSync('tar', ['xzOf', path.join(folder, 'state.tar.gz'), 'state/mark'], { encoding: 'utf8' });
      expect(held).toBe(`${what}\n`);
      expect(ticked(report, 'Backed up state')).toMatchObject({
        state: 'done',
        detail: expect.stringContaining(id) as string,
      });
      // It is whole before anything that runs is touched.
      const kinds = report.plan?.services[0]?.operations.map(({ kind }) => kind) ?? [];
      const kept = kinds.indexOf('keep-backup');
      expect(kept, kinds.join()).toBeGreaterThan(0);
      const touching = kinds.findIndex((kind) => TOUCHING.includes(kind));
      expect(touching, kinds.join()).toBeGreaterThan(kept);
      // The change itself was made, and the data went on.
      expect((await project.get('/')).text).toMatch(new RegExp(`^${version.replaceAll('.', '\\.')} `));
      expect((await liveOf(project, 'app')).environment).toContain(`LEVEL=${level}`);
      expect(await inVolume(project, 'cat /data/mark')).toBe(what);
    },
  );
});

/** What ends, starts or replaces a container. */
const TOUCHING: readonly string[] = ['replace-containers', 'restart-containers', 'stop-containers', 'start-beside'];
