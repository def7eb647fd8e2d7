import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { carryOut } from '../support/procedure.js';
import { makeProject, type Fixture, type Project } from '../support/project.js';

/**
 * What a person's own `docker compose up -d` does after us: nothing, when we left what Compose itself would have made.
 */
describe.each([
  ['roma', 'roma', [] as string[]],
  ['configs', 'app', []],
  ['replicas', 'app', []],
  ['stack', 'web', ['db', 'migrate']],
] as const)('plain docker compose in fixture %s', (fixture: Fixture, service, before) => {
  let project: Project;

  beforeAll(async () => {
    project = await makeProject({ fixture });
    if (before.length > 0) await project.compose(['up', '-d', '--build', '--wait', 'db']);
    if (before.length > 0) await project.compose(['up', '-d', '--build', 'worker']);
  });

  afterAll(async () => {
    await project.cleanup();
  });

  async function expectRunning(): Promise<void> {
    const ids = await project.containerIds(service);
    expect(ids).toHaveLength(fixture === 'replicas' ? 3 : 1);
    const { stdout, stderr } = await project.compose(['up', '-d', '--no-build', service]);
    expect(await project.containerIds(service), `${stdout}${stderr}`).toEqual(ids);
    expect(`${stdout}${stderr}`).not.toMatch(/Recreat/);
  }

  it('finds it Running after an update, and after going back', async () => {
    const first = await carryOut(project, { procedure: 'code-update', service });
    expect(first.report.outcome, first.log).toMatch(before.length > 0 ? /^(unchanged|deployed)$/ : /^deployed$/);
    await expectRunning();

    await project.commitRelease({ version: '2.0.0' });
    const second = await carryOut(project, { procedure: 'code-update', service });
    expect(second.report.outcome, second.log).toBe('deployed');
    await expectRunning();

    const back = await carryOut(project, { procedure: 'rollback', service });
    expect(back.report.outcome, back.log).toBe('deployed');
    await expectRunning();

    // An image that is rebuilt from the cache is the same image.
    await project.compose(['build', service]);
    const again = await carryOut(project, { procedure: 'config-change', service });
    expect(again.report.outcome, again.log).toBe('unchanged');
    await expectRunning();
  });
});

describe('a project that plain docker compose started, and that we never saw', () => {
  let project: Project;

  afterEach(async () => {
    await project.cleanup();
  });

  it('comes back exactly when its first update is a bad release', async () => {
    project = await makeProject({ fixture: 'configs' });
    await project.compose(['up', '-d', '--build', '--wait']);
    const before = await project.inspect('app');
    await project.commitRelease({
      version: '2.0.0',
      chaos: 'exit-at-once',
      files: { 'service.env': 'APP_GREETING=servus\n', 'motd.txt': 'Gone.\n' },
    });
    const { report, log } = await carryOut(project, { procedure: 'code-update', service: 'app' });
    expect(report.outcome, log).toBe('rolled-back');
    const after = await project.inspect('app');
    expect(comparable(after)).toEqual(comparable(before));
    expect((await project.get('/')).text).toMatch(/^1\.0\.0 /);
    expect((await project.get('/file?path=/etc/app/motd.txt')).text).toBe('Welcome.\n');
    expect(await project.git('rev-parse', 'HEAD')).toBe(project.firstCommit);
    await project.compose(['up', '-d', '--no-build']);
    expect(await project.containerId('app')).toBe(after.Id);
  });

  it('comes back from its own container when the files were edited meanwhile', async () => {
    project = await makeProject({ fixture: 'roma', env: { GREETING: 'as-it-was' } });
    await project.compose(['up', '-d', '--build']);
    const before = await project.inspect('roma');
    // A person edits .env and goes home; then a deploy comes.
    await project.setEnv({ GREETING: 'edited-and-never-applied' });
    await project.commitRelease({ version: '2.0.0', chaos: 'exit-at-once' });
    const { report, log } = await carryOut(project, { procedure: 'code-update', service: 'roma' });
    expect(report.outcome, log).toBe('rolled-back');
    const after = await project.inspect('roma');
    expect(after.Config.Env).toContain('GREETING=as-it-was');
    expect(comparable(after)).toEqual(comparable(before));
    expect((await project.get('/version')).text).toContain('1.0.0');
  });
});

/** Everything of a container that decides how it runs, without ids, times and Compose's own labels. */
function comparable({ Name, Image, Config, HostConfig, Mounts, NetworkSettings }: Inspected): unknown {
  const labels = Object.entries(Config.Labels).filter(([name]) => !name.startsWith('com.docker.compose.'));
  return {
    Name,
    Image,
    Config: { ...Config, Hostname: '', Env: [...Config.Env].sort(), Labels: labels.sort() },
    HostConfig: { ...HostConfig, Binds: [...(HostConfig.Binds ?? [])].sort(), Mounts: undefined },
    Mounts: Mounts.map(({ Source, Destination, RW, Type }) => ({ Source, Destination, RW, Type })).sort((a, b) =>
      a.Destination.localeCompare(b.Destination),
    ),
    networks: Object.keys(NetworkSettings.Networks),
  };
}

type Inspected = Awaited<ReturnType<Project['inspect']>>;
