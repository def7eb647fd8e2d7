import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCase, type Case } from '../support/cases.js';

describe('15: a service of the user is called `edge`', () => {
  let project: Case;
  beforeAll(async () => {
    project = await makeCase('15-edge-alias-collides');
    await project.sh('docker compose up -d --wait');
  });
  afterAll(async () => {
    await project.cleanup();
  });

  /** Who answered under the names `api` and `edge` inside the project's network, as its worker says. */
  const answers = async (): Promise<string> => {
    const log = (await project.sh('docker compose logs --no-log-prefix worker')).stdout;
    return log.match(/\{"n".*\}/g)?.at(-1) ?? '';
  };

  it('the managed edge takes api over, and both names still lead to their own service', async () => {
    const inputs = { service: 'api', router: 'edge', 'edge-image': project.edgeImage };
    await project.edit('compose.yml', 'case-app:1', 'case-app:2');
    const taken = await project.predict('code-update', inputs);
    expect(taken.report.outcome, taken.log).toBe('deployed');
    await project.edit('compose.yml', 'case-app:2', 'case-app:1');
    const again = await project.predict('code-update', inputs);
    expect(again.report.outcome, again.log).toBe('deployed');
    // The worker asks 20 times a second and counts every 2 s who answered under which name.
    await project.sh('sleep 3');
    const said = JSON.parse(await answers()) as { readonly vs: Readonly<Record<string, number>> };
    expect(Object.keys(said.vs).sort(), again.log).toEqual(['api=api', 'edge=my-own-edge']);
  });
});
