import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EDGE_IMAGE } from '../support/edge.js';
import { deploy, update } from '../support/live.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';

describe('zero replicas behind the edge', () => {
  let project: Project;
  const inputs = { router: 'edge', 'edge-image': EDGE_IMAGE };
  beforeAll(async () => {
    const compose = served({ more: '    deploy:\n      replicas: ${REPLICAS:-1}\n' });
    project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': compose } });
    await deploy(project, 'app', { strategy: 'recreate' });
    await project.commitRelease({ version: '1.1.0' });
    await deploy(project, 'app', inputs);
  });
  afterAll(() => project.cleanup());

  it('is zero, unchanged after that, and one again when it is asked for', async () => {
    await project.setEnv({ REPLICAS: '0' });
    const none = await update(project, 'app', inputs);
    expect(none.report.outcome, none.log).toBe('deployed');
    expect(await project.containerIds('app')).toEqual([]);
    const same = await update(project, 'app', inputs);
    expect(same.report.outcome, same.log).toBe('unchanged');
    await project.setEnv({ REPLICAS: '1' });
    const again = await update(project, 'app', inputs);
    expect(again.report.outcome, again.log).toBe('deployed');
    expect((await project.get('/')).text).toMatch(/^1\.1\.0/);
  });
});
