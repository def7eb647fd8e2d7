import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HostResult } from '../../.github/actions/deploy-chain/chain.mjs';
import { startRegistry, type Registry } from '../../scripts/lib/registry.mjs';
import type { WorkflowResult } from '../support/act.js';
import { expectUntouched, liveOf, type Live } from '../support/live.js';
import type { Project } from '../support/project.js';
import { makeWorkflowHost, servedVersion, type WorkflowHost } from '../support/workflow-host.js';

/** deploy-chain.yml on a real engine: two hosts are two live checkouts of one repository, each a compose project. */
let host: WorkflowHost;
let [first, second]: Project[] = [];
beforeAll(async () => {
  host = await makeWorkflowHost({}, { several: true });
  first = host.project;
  second = await host.another();
});
afterAll(() => host.cleanup());

function both(): [Project, Project] {
  if (first === undefined || second === undefined) throw new Error('there are no hosts');
  return [first, second];
}

/** Carries an example out with the list that it has, each host with its own live checkout. */
function chain(
  caller: 'deploy-hosts.yml' | 'deploy-staged.yml',
  replaced: Readonly<Record<string, string>> = {},
): Promise<WorkflowResult> {
  const [one, two] = both();
  const names = caller === 'deploy-staged.yml' ? ['staging', 'production'] : ['web-1', 'web-2'];
  const hosts = [one, two].map((project, index) => ({
    runner: names[index],
    'working-directory': project.dir,
    ...(caller === 'deploy-staged.yml' ? { environment: names[index] } : {}),
  }));
  const given = { hosts: JSON.stringify(hosts), ...replaced };
  return host.run({ caller, event: 'push', ref: 'refs/heads/main', with: given, timeoutMs: 175_000 });
}

function resultsOf(run: WorkflowResult): HostResult[] {
  return JSON.parse(run.stepOutputs['chain']?.['hosts'] ?? '[]') as HostResult[];
}

async function live(): Promise<[Live, Live]> {
  const [one, two] = both();
  return [await liveOf(one, 'roma'), await liveOf(two, 'roma')];
}

/** Environments in which a deployment was recorded, oldest first. */
const environments = (): string[] => host.github.deployments.map(({ environment }) => environment).reverse();

describe('several hosts', () => {
  it('get the same commit, one after the other, and one summary', async () => {
    const [one, two] = both();
    const run = await chain('deploy-hosts.yml');
    expect(run.conclusion, run.log).toBe('success');
    expect(run.stepOutputs['chain']).toMatchObject({ outcome: 'deployed' });
    const now = await live();
    expect(now.map(({ commit }) => commit)).toEqual([run.sha, run.sha]);
    expect([await servedVersion(one), await servedVersion(two)]).toEqual(['1.0.0', '1.0.0']);
    expect(resultsOf(run)).toMatchObject([
      { runner: 'web-1', begun: true, outcome: 'deployed', release: now[0].release },
      { runner: 'web-2', begun: true, outcome: 'deployed', release: now[1].release },
    ]);
    expect(run.summary).toContain('# ✅ 2 hosts: deployed\n');
    expect(run.summary).toMatch(/\| 2 \| web-2 \| production \| ✅ deployed \| \S+ \| \[evidence\]\(\S+\) \|\n/);
  });

  it('are left alone behind the first that fails: the second is never begun', async () => {
    const [one, two] = both();
    const before = await live();
    const broken = await one.commitRelease({ version: '2.0.0', chaos: 'exit-at-once' });
    const run = await chain('deploy-hosts.yml');
    expect(run, run.log).toMatchObject({ conclusion: 'failure', sha: broken });
    expect(run.stepOutputs['chain']).toMatchObject({ outcome: 'rolled-back' });
    expect(resultsOf(run)).toMatchObject([{ begun: true, outcome: 'rolled-back' }, { begun: false }]);
    expect(run.log.match(/Run Main Rolling Restart/g)).toHaveLength(1);
    expect(run.log).toContain('web-1: rolled-back. Not begun: web-2.');
    expect(run.summary).toContain('| 2 | web-2 | production | not begun |  |  |\n');
    expect(await servedVersion(one)).toBe('1.0.0');
    await expectUntouched(two, 'roma', before[1], run.log);
  });

  it('keep what they got when a later one fails', async () => {
    const [one, two] = both();
    await one.commitRelease({ version: '3.0.0' });
    const before = await live();
    // Somebody changed a tracked file on the second host by hand: its deploy is refused.
    await appendFile(join(two.dir, 'package.json'), '\n');
    const run = await chain('deploy-hosts.yml');
    await two.git('checkout', '--', 'package.json');
    expect(run.conclusion, run.log).toBe('failure');
    expect(run.stepOutputs['chain']).toMatchObject({ outcome: 'refused' });
    expect(resultsOf(run)).toMatchObject([
      { runner: 'web-1', outcome: 'deployed' },
      { runner: 'web-2', outcome: 'refused' },
    ]);
    expect(run.summary).toContain('# ❌ refused, after 1 of 2 hosts\n');
    expect(await servedVersion(one)).toBe('3.0.0');
    await expectUntouched(two, 'roma', before[1], run.log);
  });
});

describe('an image that is built once', () => {
  let registry: Registry;
  beforeAll(async () => {
    registry = await startRegistry();
  });
  afterAll(() => registry.stop());

  it('is built on the first host, and the others get that very one', async () => {
    const [one, two] = both();
    await one.commitRelease({ version: '3.1.0' });
    const repository = `${registry.address}/${one.name}/roma`;
    const run = await chain('deploy-hosts.yml', { 'push-to': repository });
    expect(run.conclusion, run.log).toBe('success');
    expect(resultsOf(run)).toMatchObject([{ outcome: 'deployed' }, { outcome: 'deployed' }]);
    expect([await servedVersion(one), await servedVersion(two)]).toEqual(['3.1.0', '3.1.0']);
    expect(run.log.match(/✓ build roma/g)).toHaveLength(1);
    expect(run.log.match(/✓ run build-command/g)).toHaveLength(1);
    const payloads = host.github.deployments.slice(0, 2).map(({ payload }) => payload);
    const images = { roma: expect.stringMatching(`^${repository}@sha256:`) as string };
    expect(payloads).toMatchObject([{ 'rolling-restart': { images } }, { 'rolling-restart': { images } }]);
    const [there, here] = [await one.inspect('roma'), await two.inspect('roma')];
    expect(here.Image).toBe(there.Image);
  });
});

describe('staging first', () => {
  it('deploys to staging, and then the same commit to production', async () => {
    const [one, two] = both();
    const known = environments().length;
    const commit = await one.commitRelease({ version: '4.0.0' });
    const run = await chain('deploy-staged.yml');
    expect(run, run.log).toMatchObject({ conclusion: 'success', sha: commit });
    expect([await servedVersion(one), await servedVersion(two)]).toEqual(['4.0.0', '4.0.0']);
    expect((await live()).map((now) => now.commit)).toEqual([commit, commit]);
    expect(environments().slice(known)).toEqual(['staging', 'production']);
    expect(host.github.deployments[1]).toMatchObject({ sha: commit, statuses: [{ state: 'success' }, {}] });
    expect(run.summary).toMatch(/\| 1 \| staging \| staging \| ✅ deployed \|/);
  });

  it('leaves production untouched when staging fails while it is watched', async () => {
    const [one, two] = both();
    const known = environments().length;
    const before = await live();
    await one.commitRelease({ version: '5.0.0', chaos: 'crash-after:4s' });
    // Without the tests, which may take as long as the release lives: it is the watch that is to see the crash.
    const run = await chain('deploy-staged.yml', { 'test-command': '', watch: '15s' });
    expect(run.conclusion, run.log).toBe('failure');
    expect(resultsOf(run)).toMatchObject([
      { runner: 'staging', environment: 'staging', begun: true, outcome: 'rolled-back' },
      { runner: 'production', environment: 'production', begun: false },
    ]);
    expect(environments().slice(known)).toEqual(['staging']);
    expect(await servedVersion(one)).toBe('4.0.0');
    await expectUntouched(two, 'roma', before[1], run.log);
    expect(host.github.problems).toEqual([]);
  });
});
