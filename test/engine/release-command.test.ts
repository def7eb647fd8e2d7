import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { docker } from '../support/engine-containers.js';
import { badReleases, expectUntouched, liveOf, update } from '../support/live.js';
import { carryOut } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';

/** Leaves what it saw in the volume: version of the image, environment, and whether the service's name leads to it. */
const MIGRATE =
  'echo "$(cat release.json) $STAGE $(hostname -i)" >> /data/ran; echo migrated; getent hosts app | wc -l > /data/found';

/** One project; each test goes on from where the one before left it. */
describe('release-command', () => {
  let project: Project;
  let hooks = '';

  const ran = async (): Promise<string[]> =>
    (await docker('run', '--rm', '-v', `${project.name}_state:/data`, BASE, 'sh', '-c', 'cat /data/ran || true')).split(
      '\n',
    );

  beforeAll(async () => {
    project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': served({ more: MORE }) } });
    hooks = path.join(project.root, 'hooks');
    await project.setEnv({ HOOKS: hooks });
  });

  afterAll(async () => {
    await project.cleanup();
  });

  it('runs once before a first deploy, with the network, volume and environment of the service', async () => {
    const { report, log } = await update(project, 'app', { 'release-command': MIGRATE });
    expect(report.outcome, log).toBe('deployed');
    expect(log).toContain('│ migrated');
    const lines = await ran();
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/"1\.0\.0".* blue \d+\.\d+\.\d+\.\d+$/);
    await expectNothingLeft(project);
  });

  it('is skipped when nothing changed', async () => {
    const { report, log } = await update(project, 'app', { 'release-command': MIGRATE });
    expect(report.outcome, log).toBe('unchanged');
    expect(await ran()).toHaveLength(1);
  });

  it('runs before an update in the new image; when it fails no container is changed', async () => {
    const before = await liveOf(project, 'app');
    await project.commitRelease({ version: '2.0.0' });
    const failed = await update(project, 'app', { 'release-command': 'echo cannot migrate >&2; exit 7' });
    expect(failed.report.outcome, failed.log).toBe('failed');
    expect(failed.report.changed).toBe(false);
    expect(failed.report.error?.code).toBe('E_COMMAND');
    expect(failed.report.error?.message).toContain('exit code 7');
    expect(failed.report.error?.excerpt[0]?.lines).toContain('cannot migrate');
    await expectUntouched(project, 'app', before, failed.log);
    expect(await badReleases(project, 'app')).toEqual([]);
    await expectNothingLeft(project);
    const { report, log } = await update(project, 'app', { 'release-command': MIGRATE, backup: 'before' });
    expect(report.outcome, log).toBe('deployed');
    expect((await ran()).at(-1)).toContain('"2.0.0"');
    // The backup was there first: what the command changes is not in it.
    expect(log.indexOf('✓ back up ')).toBeLessThan(log.indexOf('✓ run release-command'));
    // And plain Compose agrees with what runs.
    const container = await project.containerId('app');
    await project.compose(['up', '-d', '--no-build']);
    expect(await project.containerId('app')).toBe(container);
  });

  it('a rollback says that it had run, that the data is newer, and brings the data back when asked', async () => {
    const plain = await carryOut(project, { procedure: 'rollback', service: 'app', 'dry-run': 'true' });
    expect(plain.log).toContain('release-command ran with release');
    expect(plain.log).toMatch(/Its data stays, and is newer than the code .* with-data: true brings backup/);
    const { report, log } = await carryOut(project, { procedure: 'rollback', service: 'app', 'with-data': 'true' });
    expect(report.outcome, log).toBe('deployed');
    expect((await project.get('/')).text).toMatch(/^1\.0\.0 /);
    expect(await ran()).toHaveLength(1);
    expect(report.nextSteps.join('\n')).toContain('release-command ran with release');
  });

  it('a rollback with data that fails has code and data of before again', async () => {
    const again = await update(project, 'app', { force: 'true', 'release-command': MIGRATE, backup: 'before' });
    expect(again.report.outcome, again.log).toBe('deployed');
    expect(await ran()).toHaveLength(2);
    const { report, log } = await carryOut(project, {
      procedure: 'rollback',
      service: 'app',
      'with-data': 'true',
      'smoke-test': `test $(docker exec $ROLLING_RESTART_CONTAINER sh -c 'wc -l < /data/ran') = 2`,
    });
    expect(report.outcome, log).toBe('rolled-back');
    expect((await project.get('/')).text).toMatch(/^2\.0\.0 /);
    expect(await ran()).toHaveLength(2);
  });

  it('hooks of the compose file ran before and after each procedure, with its outcome', async () => {
    const lines = (await readFile(hooks, 'utf8')).trim().split('\n');
    expect(lines).toEqual([
      'before',
      'deployed',
      'before',
      'unchanged',
      'before',
      'failed',
      'before',
      'deployed',
      'before',
      'deployed',
    ]);
  });
});

const BASE = process.env['ROLLING_RESTART_TEST_BASE_IMAGE'] ?? 'rolling-restart-base:node';

const MORE = `    environment: { STAGE: blue }
    volumes: ['state:/data']
volumes:
  state:
x-rolling-restart:
  hooks:
    before-code-update: echo before >> \${HOOKS:-/dev/null}
    after-code-update: echo $$ROLLING_RESTART_OUTCOME >> \${HOOKS:-/dev/null}
`;

/** Neither among the project's containers nor anywhere else. */
async function expectNothingLeft(project: Project): Promise<void> {
  const listed = await docker('ps', '-a', '--format', '{{.Names}} {{.Labels}}');
  const own = listed.split('\n').filter((line) => line.includes(project.name));
  expect(own.filter((line) => /release-command|template/.test(line))).toEqual([]);
  expect(await project.containerIds('rolling-restart-app-release-command')).toEqual([]);
}
