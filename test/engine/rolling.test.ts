import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deploy, historyOf, update } from '../support/live.js';
import { liveRelease } from '../../src/model/release.js';
import { makeProject, type Project } from '../support/project.js';

let project: Project;
beforeEach(async () => {
  project = await makeProject({ fixture: 'replicas' });
});
afterEach(() => project.cleanup());

describe('rolling, three replicas and no router', () => {
  it('replaces one at a time, new before old, and leaves what plain Compose takes for its own', async () => {
    await deploy(project, 'app');
    const before = await project.containerIds('app');
    await project.commitRelease({ version: '2.0.0' });
    const carried = await update(project, 'app', { strategy: 'rolling' });
    expect(carried.report.outcome, carried.log).toBe('deployed');
    const after = await project.containerIds('app');
    expect(after).toHaveLength(3);
    expect(after.filter((id) => before.includes(id))).toEqual([]);
    for (const id of after) {
      const { text } = await project.get(`${await project.containerUrl(id)}/version`);
      expect(JSON.parse(text)).toMatchObject({ version: '2.0.0' });
    }
    expect(carried.report.services[0]?.downtimeMs, carried.log).toBe(0);
    const starts = carried.report.timeline.filter(({ text }) => text.startsWith('start one container of app'));
    expect(starts).toHaveLength(3);

    await project.pull();
    const { stderr } = await project.compose(['up', '-d', '--no-build']);
    expect(stderr).not.toMatch(/Recreat|Creat/);
    expect(await project.containerIds('app')).toEqual(after);
    // The service's name leads to each of them.
    const [first = ''] = after;
    const { stdout } = await project.compose(['exec', '-T', '--index', await indexOf(first), 'app', 'nslookup', 'app']);
    expect(stdout.match(/Address.*\d+\.\d+\.\d+\.\d+$/gm)?.length ?? 0).toBeGreaterThanOrEqual(3);
  });

  it('keeps all old ones when the first new one never gets ready', async () => {
    await deploy(project, 'app');
    const before = await project.containerIds('app');
    const live = liveRelease(await historyOf(project, 'app'))?.id;
    await project.commitRelease({ version: '3.0.0', chaos: 'unhealthy' });
    const carried = await update(project, 'app', { strategy: 'rolling', 'readiness-timeout': '5s' });
    expect(carried.report.outcome, carried.log).toBe('rolled-back');
    expect(await project.containerIds('app'), carried.log).toEqual(before);
    expect(liveRelease(await historyOf(project, 'app'))?.id).toBe(live);
  });
});

async function indexOf(id: string): Promise<string> {
  const { docker } = await import('../support/engine-containers.js');
  return docker('inspect', '--format', '{{index .Config.Labels "com.docker.compose.container-number"}}', id);
}
