import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  artifactFiles,
  artifactReport,
  makeWorkflowHost,
  servedVersion,
  type WorkflowHost,
} from '../support/workflow-host.js';

/** The deploy workflow on a real engine: what it says, and what then runs. One host, in the order things happen. */
let host: WorkflowHost;
beforeAll(async () => {
  host = await makeWorkflowHost();
});
afterAll(() => host.cleanup());

const PUSH = { caller: 'deploy.yml', event: 'push', ref: 'refs/heads/main' } as const;

describe('a push to main', () => {
  it('deploys the commit, with the commands of the example, where nothing ran before', async () => {
    const run = await host.run(PUSH);
    expect(run.conclusion, run.log).toBe('success');
    expect(run.outputs).toMatchObject({ outcome: 'deployed' });
    expect(run.sha).toBe(host.project.firstCommit);
    expect(await servedVersion(host.project)).toBe('1.0.0');
    expect(await host.project.git('rev-parse', 'HEAD')).toBe(run.sha);
    const { State, Config } = await host.project.inspect('roma');
    expect(State.Running).toBe(true);
    expect(Config.Labels['com.docker.compose.project']).toBe(host.project.name);
    expect(host.github.deployments).toMatchObject([
      { sha: run.sha, environment: 'production', statuses: [{ state: 'success' }, { state: 'in_progress' }] },
    ]);
    expect(run.summary).toMatch(/, who started it: it has no required reviewers/);
  });

  it('replaces the container with the new version, and the summary says so first', async () => {
    const before = await host.project.inspect('roma');
    const commit = await host.project.commitRelease({ version: '2.0.0' });
    host.github.reviewers.set('production', ['ada', 'grace']);
    host.github.approvals.set('production', [{ by: 'grace', state: 'approved' }]);
    const run = await host.run(PUSH);
    expect(run.conclusion, run.log).toBe('success');
    expect(await servedVersion(host.project)).toBe('2.0.0');
    const after = await host.project.inspect('roma');
    expect(after.Id).not.toBe(before.Id);
    expect(after.Image).not.toBe(before.Image);
    expect(run.outputs).toMatchObject({ outcome: 'deployed', 'image-digest': after.Image });
    expect(run.outputs['previous-release']).not.toBe(run.outputs['release']);
    expect(Number(run.outputs['downtime-ms'])).toBeGreaterThan(0);
    expect(run.summary).toMatch(/^# ✅ Deployed\n/);
    expect(run.summary).toContain(commit.slice(0, 12));
    expect(run.summary).toMatch(/production.*: success.*by grace/);
    expect(host.github.problems).toEqual([]);
  });

  it('is refused as a downgrade when the run of an old commit is run again', async () => {
    const before = await host.project.inspect('roma');
    host.tag('the-old-run', host.project.firstCommit);
    const run = await host.run({ ...PUSH, ref: 'refs/tags/the-old-run', attempt: 2 });
    expect(run.conclusion, run.log).toBe('failure');
    expect(run.outputs).toMatchObject({ outcome: 'refused' });
    expect(run.log).toContain('this would be a downgrade');
    expect((await host.project.inspect('roma')).Id).toBe(before.Id);
  });

  it('leaves the container alone when the commit is deployed already', async () => {
    const before = await host.project.inspect('roma');
    const run = await host.run(PUSH);
    expect(run.conclusion, run.log).toBe('success');
    expect(run.outputs).toMatchObject({ outcome: 'unchanged', 'downtime-ms': '0' });
    const after = await host.project.inspect('roma');
    expect(after.Id).toBe(before.Id);
    expect(after.State.StartedAt).toBe(before.State.StartedAt);
  });

  it('is red for a broken release, brings the one before back, and keeps report and evidence', async () => {
    const before = await host.project.inspect('roma');
    const broken = await host.project.commitRelease({ version: '3.0.0', chaos: 'crash-after:4s' });
    // Without the tests, which may take as long as the release lives: it is the watch that is to see the crash.
    const run = await host.run({ ...PUSH, with: { 'test-command': '', watch: '15s' } });
    expect(run, run.log).toMatchObject({ conclusion: 'failure', exitCode: 1, sha: broken });
    expect(run.outputs).toMatchObject({ outcome: 'rolled-back', 'image-digest': before.Image });
    expect(await servedVersion(host.project)).toBe('2.0.0');
    expect((await host.project.inspect('roma')).Image).toBe(before.Image);
    expect(await host.project.git('rev-parse', 'HEAD')).not.toBe(broken);
    expect(run.summary).toMatch(/^# ↩️ Rolled back\n/);

    const report = artifactReport(run);
    expect(report).toMatchObject({ procedure: 'code-update', outcome: 'rolled-back' });
    expect(JSON.stringify(report['error'])).toMatch(/exited .*code 1\b.*chaos: ending with code 1/);
    const [failed, live] = host.github.deployments;
    expect(failed).toMatchObject({ sha: broken, statuses: [{ state: 'failure' }, { state: 'in_progress' }] });
    expect(live?.statuses[0]).toMatchObject({ state: 'success' });
    expect(live?.statuses[0]?.description).toContain('live again');
    expect(host.github.problems).toEqual([]);
    const log = artifactFiles(run).find((path) => /roma-failed-.*-log\.txt$/.test(path));
    expect(log).toBeDefined();
  });

  it('is red, and touches nothing, when the same commit comes again', async () => {
    const before = await host.project.inspect('roma');
    const run = await host.run(PUSH);
    expect(run.conclusion, run.log).toBe('failure');
    expect(run.outputs).toMatchObject({ outcome: 'refused' });
    expect((await host.project.inspect('roma')).Id).toBe(before.Id);
    expect(artifactReport(run)).toMatchObject({ outcome: 'refused', changed: false });
  });
});

describe('a maintainer who starts the workflow', () => {
  const dispatch = (ref: string) =>
    host.run({ caller: 'deploy-approved.yml', event: 'workflow_dispatch', ref: 'refs/heads/main', inputs: { ref } });

  it('approves the commit of the branch by that, on every plan', async () => {
    const commit = await host.project.commitRelease({ version: '4.0.0' });
    expect(await servedVersion(host.project)).toBe('2.0.0');
    const run = await dispatch('');
    expect(run.conclusion, run.log).toBe('success');
    expect(run.outputs).toMatchObject({ outcome: 'deployed' });
    expect(await servedVersion(host.project)).toBe('4.0.0');
    expect(host.github.deployments[0]).toMatchObject({ sha: commit, statuses: [{ state: 'success' }, {}] });
  });

  it('or the commit that is named', async () => {
    host.tag('v4.1.0', await host.project.commitRelease({ version: '4.1.0' }));
    await host.project.commitRelease({ version: '4.2.0' });
    const run = await dispatch('v4.1.0');
    expect(run.conclusion, run.log).toBe('success');
    expect(await servedVersion(host.project)).toBe('4.1.0');
  });
});
