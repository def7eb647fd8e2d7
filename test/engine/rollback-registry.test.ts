import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRegistry } from '../../scripts/lib/registry.mjs';
import { docker } from '../support/engine-containers.js';
import { carryOut, type Carried } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';

/** One project through its releases; each test goes on from where the one before left it. */
describe('rollback to an image of a registry', () => {
  let project: Project;
  let registry: { readonly address: string; readonly stop: () => Promise<void> };
  let name = '';
  const ids: Record<string, string> = {};

  const version = async (): Promise<string> => (await project.get('/')).text.split(' ')[0] ?? '';
  const update = (image: string): Promise<Carried> =>
    carryOut(project, { procedure: 'code-update', service: 'app', image });
  const rollback = (to: string, inputs: Readonly<Record<string, string>> = {}): Promise<Carried> =>
    carryOut(project, { procedure: 'rollback', service: 'app', 'rollback-to': to, ...inputs });
  /** What a release pipeline does, far away from the host. */
  const publish = async (release: string, tag: string): Promise<void> => {
    await docker('build', '--quiet', '--build-arg', `VERSION=${release}`, '--tag', `${name}:${tag}`, project.root);
    ids[release] = await docker('image', 'inspect', '--format', '{{.Id}}', `${name}:${tag}`);
    await docker('push', '--quiet', `${name}:${tag}`);
  };

  beforeAll(async () => {
    registry = await startRegistry();
    project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': served({ image: '${IMAGE}' }) } });
    name = `${registry.address}/${project.name}/app`;
    await project.setEnv({ IMAGE: `${name}:stable` });
    await docker('build', '--quiet', '--tag', `${project.name}-base`, ...buildArgs(), project.dir);
    await writeDockerfile(project, `${project.name}-base`);
    for (const release of ['1.0.0', '2.0.0']) {
      await publish(release, `v${release}`);
      const { report, log } = await update(`${name}:v${release}`);
      expect(report.outcome, log).toBe('deployed');
    }
    expect(await version()).toBe('2.0.0');
  });

  afterAll(async () => {
    await registry.stop();
    await project.cleanup();
    const left = await docker('images', '--format', '{{.Repository}}:{{.Tag}}', '--filter', `reference=${name}`);
    for (const image of left.split('\n').filter((line) => line !== '')) await docker('rmi', '--force', image);
  });

  it('goes to what the tag named when it was deployed, though the tag has moved since', async () => {
    await publish('6.6.6', 'v1.0.0');
    const { report, log } = await rollback(`image:${name}:v1.0.0`);
    expect(report.outcome, log).toBe('deployed');
    expect(await version()).toBe('1.0.0');
    expect((await project.inspect('app')).Image).toBe(ids['1.0.0']);
  });

  it('pulls it by the recorded digest when the engine has lost it', async () => {
    const forward = await update(`${name}:v2.0.0`);
    // It was left by going back, so deploying it again needs a person's word.
    expect(forward.report.error?.code, forward.log).toBe('E_BAD_RELEASE');
    const again = await carryOut(project, {
      procedure: 'code-update',
      service: 'app',
      image: `${name}:v2.0.0`,
      force: 'true',
    });
    expect(again.report.outcome, again.log).toBe('deployed');

    const id = ids['1.0.0'] ?? '';
    await removeImage(id);
    const { report, log } = await rollback(`image:${name}:v1.0.0`);
    expect(report.outcome, log).toBe('deployed');
    expect(await version()).toBe('1.0.0');
    expect((await project.inspect('app')).Image).toBe(id);
  });

  it('pulls an image that was never deployed', async () => {
    await publish('3.0.0', 'v3.0.0');
    await removeImage(ids['3.0.0'] ?? '');
    const { report, log } = await rollback(`image:${name}:v3.0.0`);
    expect(report.outcome, log).toBe('deployed');
    expect(await version()).toBe('3.0.0');
  });

  it('refuses what the registry does not have, and touches nothing', async () => {
    const before = await project.containerId('app');
    const { report, log } = await rollback(`image:${name}:v9.9.9`);
    expect(report.outcome, log).toBe('refused');
    expect(report.error?.code).toBe('E_GATE');
    expect(report.error?.message).toContain('v9.9.9');
    expect(await project.containerId('app')).toBe(before);
  });

  it('goes to the previous one without the registry', async () => {
    await registry.stop();
    const { report, log } = await rollback('previous');
    expect(report.outcome, log).toBe('deployed');
    expect(await version()).toBe('1.0.0');
  });
});

function buildArgs(): readonly string[] {
  const base = process.env['ROLLING_RESTART_TEST_BASE_IMAGE'] ?? 'rolling-restart-base:node';
  return ['--build-arg', `BASE_IMAGE=${base}`];
}

async function writeDockerfile(project: Project, base: string): Promise<void> {
  const lines = [
    `FROM ${base}`,
    'ARG VERSION',
    'RUN echo "{ \\"version\\": \\"$VERSION\\", \\"chaos\\": \\"\\" }" > /app/release.json',
  ];
  await writeFile(`${project.root}/Dockerfile`, `${lines.join('\n')}\n`);
}

async function removeImage(id: string): Promise<void> {
  const names = await docker('image', 'inspect', '--format', '{{join .RepoTags " "}} {{join .RepoDigests " "}}', id);
  await docker('rmi', '--force', ...names.split(' ').filter((one) => one !== ''));
  const left = await docker('images', '--no-trunc', '--quiet', '--filter', 'dangling=false');
  expect(left.split('\n')).not.toContain(id);
}
