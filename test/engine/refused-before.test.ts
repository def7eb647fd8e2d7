import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EDGE_IMAGE } from '../support/edge.js';
import { watchInventory } from '../support/inventory.js';
import { badReleases, deploy, expectUntouched, liveOf, update, type Live } from '../support/live.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';

/** Each is fine to Compose's own check of the file, and no container can be made or started of it. */
const REFUSED = [
  ['a folder of the host that is not there', 'volumes: [{ type: bind, source: /nowhere/at/all, target: /x }]', ''],
  ['a device that the host does not have', "devices: ['/dev/nowhere:/dev/x']", ''],
  ['a capability that does not exist', 'cap_add: [NO_SUCH_THING]', ''],
  ['less memory than a container can have', 'mem_limit: 1k', ''],
  ['a runtime that the engine does not have', 'runtime: no-such-runtime', ''],
  ['a network that nobody made', 'networks: [nobody]', 'networks: { nobody: { external: true, name: NAME-nobody } }'],
  ['a volume that nobody made', "volumes: ['nobody:/x']", 'volumes: { nobody: { external: true, name: NAME-nobody } }'],
  [
    'a config that cannot be copied in',
    'read_only: true\n    configs: [{ source: c, target: /etc/x }]',
    "configs: { c: { content: 'x' } }",
  ],
] as const;

describe.each(['recreate', 'blue-green behind the edge', 'recreate behind the edge'] as const)('with %s', (way) => {
  let project: Project;
  let before: Live;
  const edge = way.endsWith('edge') ? { router: 'edge', 'edge-image': EDGE_IMAGE } : {};
  const inputs = { ...edge, strategy: way.split(' ')[0] ?? '' };

  beforeAll(async () => {
    project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': served() } });
    await deploy(project, 'app', { ...inputs, strategy: 'recreate', router: 'auto' });
    if (way.endsWith('edge')) {
      await project.commitRelease({ version: '1.1.0' });
      await deploy(project, 'app', inputs);
    }
    before = await liveOf(project, 'app');
  });

  afterAll(async () => {
    await project.cleanup();
  });

  it.each(REFUSED)('%s is refused, and nothing is touched or left', async (_what, own, top) => {
    const compose = served().replace('services:\n', `${top.replace('NAME', project.name)}\nservices:\n`);
    const lines = own.split('\n').map((line) => `    ${line.trim()}\n`);
    await project.commitRelease({
      files: { 'compose.yaml': compose.replace('  app:\n', `  app:\n${lines.join('')}`) },
    });
    const watch = await watchInventory(project);
    const { report, log } = await update(project, 'app', inputs);
    // The lock's generations are its own.
    const left = (await watch.changes()).filter((line) => /^. (container|network|volume) (?!\S+\.lock\.g)/.test(line));
    watch.close();
    const code: unknown = expect.stringMatching(/^E_(?:GATE|WOULD_LOSE)$/);
    expect(report, log).toMatchObject({ outcome: 'refused', changed: false, error: { code } });
    // Blue-green is refused before that for what two containers would write, and a copy for what it would not have.
    expect(report.error?.message).toMatch(
      /its new container cannot be made|strategy blue-green is not possible|a copy of its container would not have/,
    );
    expect(left).toEqual([]);
    await expectUntouched(project, 'app', before, log);
    expect(await badReleases(project, 'app')).toEqual([]);
  });

  it('what only a start shows is undone, and does not make the release bad', async () => {
    const broken = served().replace('  app:\n', "  app:\n    entrypoint: ['/no/such/program']\n");
    await project.commitRelease({ files: { 'compose.yaml': broken } });
    const { report, log } = await update(project, 'app', inputs);
    expect(report, log).toMatchObject({ outcome: 'rolled-back', changed: false });
    expect({ ...(await liveOf(project, 'app')), container: '' }).toEqual({ ...before, container: '' });
    expect(await badReleases(project, 'app')).toEqual([]);
    expect(report.nextSteps.join('\n')).toContain('not marked bad');
  });

  it('files, networks and volumes that come with the new release do not stand in its way', async () => {
    const compose = served()
      .replace(
        '  app:\n',
        "  app:\n    networks: [default, later]\n    volumes: ['fresh:/fresh', './new.conf:/etc/new.conf:ro']\n",
      )
      .replace('services:\n', 'networks: { default: {}, later: {} }\nvolumes: { fresh: {} }\nservices:\n');
    await project.commitRelease({ files: { 'compose.yaml': compose, 'new.conf': 'new\n' } });
    const { report, log } = await update(project, 'app', { ...inputs, strategy: 'auto' });
    expect(report.outcome, log).toBe('deployed');
  });
});
