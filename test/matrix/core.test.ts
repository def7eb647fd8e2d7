/**
 * What may not differ from one Docker to the next: the same on each stack that `npm run test:matrix` has. Every step
 * asserts on what the engine, the service and a plain `docker compose up -d` show.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRegistry } from '../../scripts/lib/registry.mjs';
import { docker } from '../support/engine-containers.js';
import { carryOut, type Carried } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';

/** What is live of the one container of a service. */
interface Live {
  readonly id: string;
  readonly image: string;
  readonly version: string;
}

const lines = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '');

/** A person's own command after ours finds nothing to do: the same container, in the same run of it. */
async function expectPlainUpKeeps(project: Project, service: string): Promise<void> {
  const before = await project.inspect(service);
  const { stderr } = await project.compose(['up', '--detach', '--no-deps', service]);
  const after = await project.inspect(service);
  expect({ id: after.Id, startedAt: after.State.StartedAt }, stderr).toEqual({
    id: before.Id,
    startedAt: before.State.StartedAt,
  });
}

describe('a service that is built here', () => {
  let project: Project;
  let v1: Live;
  let v2: Live;

  const perform = (procedure: string, inputs: Readonly<Record<string, string>> = {}): Promise<Carried> =>
    carryOut(project, { procedure, service: 'roma', ...inputs });
  const live = async (): Promise<Live> => {
    const { Id, Image } = await project.inspect('roma');
    const { version } = JSON.parse((await project.get('/version')).text) as { version: string };
    return { id: Id, image: Image, version };
  };

  beforeAll(async () => {
    project = await makeProject({ fixture: 'roma' });
    const { report, log } = await perform('code-update');
    expect(report.outcome, log).toBe('deployed');
    v1 = await live();
  });

  afterAll(async () => {
    await project.cleanup();
  });

  it('is updated, and a plain up leaves it running', async () => {
    await project.commitRelease({ version: '2.0.0' });
    const { report, log } = await perform('code-update');
    expect(report.outcome, log).toBe('deployed');
    v2 = await live();
    expect(v2.version).toBe('2.0.0');
    expect(v2.id).not.toBe(v1.id);
    expect(report.services[0]?.downtimeMs).toBeGreaterThan(0);
    await expectPlainUpKeeps(project, 'roma');
  });

  it('is unchanged after a rebuild from the cache', async () => {
    const { report, log } = await perform('code-update');
    expect(log).toMatch(/CACHED/);
    expect(report.outcome, log).toBe('unchanged');
    expect(await live()).toEqual(v2);
  });

  it('is unchanged by a commit of which nothing gets into the image', async () => {
    await project.commitRelease({ files: { 'NOTES.md': 'Nothing of this is copied into the image.\n' } });
    const { report, log } = await perform('code-update');
    expect(report.outcome, log).toBe('unchanged');
    expect(await live()).toEqual(v2);
    await expectPlainUpKeeps(project, 'roma');
  });

  it('is unchanged when a person has built it by hand, with whatever their builder adds', async () => {
    await project.pull();
    await project.compose(['build', 'roma']);
    const { report, log } = await perform('code-update');
    expect(report.outcome, log).toBe('unchanged');
    expect(await live()).toEqual(v2);
  });

  it('gets its release back when the next one crashes while it is watched', async () => {
    await project.commitRelease({ version: '3.0.0', chaos: 'crash-after:2s' });
    const { report, log } = await perform('code-update', { watch: '6s' });
    expect(report.outcome, log).toBe('rolled-back');
    const back = await live();
    expect(back).toMatchObject({ image: v2.image, version: '2.0.0' });
    expect(back.id).not.toBe(v2.id);
    await expectPlainUpKeeps(project, 'roma');
  });

  it('goes back to the previous release without a build, and a plain up leaves that running', async () => {
    const { report, log } = await perform('rollback', { 'rollback-to': 'previous' });
    expect(report.outcome, log).toBe('deployed');
    const back = await live();
    expect(back).toMatchObject({ image: v1.image, version: '1.0.0' });
    await expectPlainUpKeeps(project, 'roma');
  });

  it('has every kept release to go back to, and check names the one whose image was taken away', async () => {
    const repository = `rolling-restart/${project.name}-roma`;
    const kept = lines(
      await docker(
        'images',
        '--no-trunc',
        '--format',
        '{{.ID}} {{.Repository}}:{{.Tag}}',
        '--filter',
        `reference=${repository}`,
      ),
    );
    expect(kept.map((line) => line.split(' ')[0])).toEqual(expect.arrayContaining([v1.image, v2.image]));
    const whole = await perform('check');
    expect(whole.report.outcome, whole.log).toBe('completed');
    expect(whole.report.nextSteps.join('\n'), whole.log).not.toMatch(/is gone/);

    // As a person's `docker image prune --all` does: what no container uses goes, by all its names.
    await docker('rmi', '--force', v2.image);
    const after = await perform('check');
    expect(after.report.nextSteps.join('\n'), after.log).toMatch(/image of kept release \S+ is gone/);
    expect(after.report.outcome).toBe('completed');
    expect((await live()).version).toBe('1.0.0');
  });
});

describe('a service whose files come from the host', () => {
  let project: Project;

  afterAll(async () => {
    await project.cleanup();
  });

  it('is deployed, known again, left alone by a plain up, and changed when its env_file is', async () => {
    project = await makeProject({ fixture: 'configs' });
    const perform = (): Promise<Carried> => carryOut(project, { procedure: 'code-update', service: 'app' });
    const first = await perform();
    expect(first.report.outcome, first.log).toBe('deployed');
    const id = await project.containerId('app');
    await expectPlainUpKeeps(project, 'app');

    const same = await perform();
    expect(same.report.outcome, same.log).toBe('unchanged');
    expect(await project.containerId('app')).toBe(id);

    await project.commitRelease({ files: { 'service.env': 'APP_GREETING=changed by a commit\n' } });
    const changed = await perform();
    expect(changed.report.outcome, changed.log).toBe('deployed');
    const { Id, Config } = await project.inspect('app');
    expect(Id).not.toBe(id);
    expect(Config.Env.find((entry) => entry.startsWith('APP_GREETING='))).toContain('changed by a commit');
    await expectPlainUpKeeps(project, 'app');
  });
});

describe('a whole application', () => {
  let project: Project;

  afterAll(async () => {
    await project.cleanup();
  });

  it('is deployed in the order of its dependencies, and left alone by a plain up of all', async () => {
    project = await makeProject({ fixture: 'stack' });
    await project.compose(['up', '--detach', '--build', '--wait', 'db']);
    const database = await project.containerId('db');
    const { report, log } = await carryOut(project, { procedure: 'code-update' });
    expect(report.outcome, log).toBe('deployed');
    const deployed = report.services.filter(({ outcome }) => outcome === 'deployed');
    expect(deployed.map(({ service }) => service)).toEqual(['migrate', 'web', 'worker']);
    expect(await project.containerId('db')).toBe(database);
    const ids = await Promise.all(['db', 'web', 'worker'].map((service) => project.containerId(service)));
    await project.compose(['up', '--detach']);
    expect(await Promise.all(['db', 'web', 'worker'].map((service) => project.containerId(service)))).toEqual(ids);
    expect((await project.get('/health')).status).toBe(200);
  });
});

describe('an image of a registry', () => {
  let project: Project;
  let registry: Awaited<ReturnType<typeof startRegistry>>;
  let name = '';

  const perform = (procedure: string, inputs: Readonly<Record<string, string>>): Promise<Carried> =>
    carryOut(project, { procedure, service: 'app', ...inputs });
  const imageNow = async (): Promise<string> => (await project.inspect('app')).Image;
  const idOf = (reference: string): Promise<string> => docker('image', 'inspect', '--format', '{{.Id}}', reference);
  /** Builds an image that answers with a version, and pushes it. */
  const publish = async (version: string): Promise<string> => {
    const reference = `${name}:${version}`;
    await project.commitRelease({ version });
    await project.pull();
    await project.compose(['build']);
    await docker('tag', `${project.name}-app`, reference);
    await docker('push', '--quiet', reference);
    return reference;
  };

  beforeAll(async () => {
    registry = await startRegistry();
    project = await makeProject({ fixture: 'plain' });
    name = `${registry.address}/${project.name}/app`;
  });

  afterAll(async () => {
    await registry.stop();
    const left = lines(await docker('images', '--quiet', '--no-trunc', '--filter', `reference=${name}`));
    await project.cleanup();
    for (const image of new Set(left)) await docker('rmi', '--force', image).catch(() => undefined); // went with its project
  });

  it('is deployed, and gone back to by tag after the engine has lost it', async () => {
    const one = await publish('1.0.0');
    const oneId = await idOf(one);
    const two = await publish('2.0.0');
    for (const image of [one, two]) {
      const { report, log } = await perform('code-update', { image });
      expect(report.outcome, log).toBe('deployed');
      expect(await imageNow()).toBe(await idOf(image));
    }
    // Every name of it, and with the last one its layers.
    await docker('rmi', '--force', oneId);
    const { report, log } = await perform('rollback', { 'rollback-to': `image:${one}` });
    expect(report.outcome, log).toBe('deployed');
    expect(report.services[0]?.imageDigest).toMatch(/@sha256:[0-9a-f]{64}$/);
    expect(await imageNow()).toBe(oneId);
    expect((await project.get(`${await project.containerUrl(await project.containerId('app'))}/`)).text).toContain(
      '1.0.0',
    );
  });

  it('is deployed from this host alone when it was built here and never pushed', async () => {
    const reference = `${name}:never-pushed`;
    await project.commitRelease({ version: '4.0.0' });
    await project.pull();
    await project.compose(['build']);
    await docker('tag', `${project.name}-app`, reference);
    const { report, log } = await perform('code-update', { image: reference });
    expect(report.outcome, log).toBe('deployed');
    expect(await imageNow()).toBe(await idOf(reference));
  });
});
