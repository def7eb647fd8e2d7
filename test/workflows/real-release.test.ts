import type { ContainerInspectInfo } from 'dockerode';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeWorkflowHost, servedVersion, type WorkflowHost } from '../support/workflow-host.js';

/** What BuildKit prints, which the action passes on: `#4 [build 1/7] FROM …`. */
const BUILD_OUTPUT = /^\s*│ #\d+ /m;

/** The release workflow on a real engine: tags deploy, and a run that is run again brings its tag back. */
let host: WorkflowHost;
let v1: ContainerInspectInfo;
beforeAll(async () => {
  host = await makeWorkflowHost();
});
afterAll(() => host.cleanup());

const tagged = (tag: string) => ({ caller: 'release.yml', event: 'push', ref: `refs/tags/${tag}` }) as const;

describe('a tag', () => {
  it('is released', async () => {
    host.tag('v1.0.0', host.project.firstCommit);
    const run = await host.run(tagged('v1.0.0'));
    expect(run.conclusion, run.log).toBe('success');
    expect(run.outputs).toMatchObject({ outcome: 'deployed' });
    expect(run.log).toMatch(BUILD_OUTPUT);
    expect(await servedVersion(host.project)).toBe('1.0.0');
    v1 = await host.project.inspect('roma');
  });

  it('is released over the one before', async () => {
    host.tag('v2.0.0', await host.project.commitRelease({ version: '2.0.0' }));
    // Another commit of main is not released by the tag.
    await host.project.commitRelease({ version: '2.1.0' });
    const run = await host.run(tagged('v2.0.0'));
    expect(run.conclusion, run.log).toBe('success');
    expect(await servedVersion(host.project)).toBe('2.0.0');
    expect((await host.project.inspect('roma')).Image).not.toBe(v1.Image);
  });

  it('comes back when the run of the older one is run again, from the kept image and without a build', async () => {
    const run = await host.run({ ...tagged('v1.0.0'), attempt: 2 });
    expect(run.conclusion, run.log).toBe('success');
    expect(run.outputs).toMatchObject({ outcome: 'deployed' });
    expect(run.sha).toBe(host.project.firstCommit);
    expect(await servedVersion(host.project)).toBe('1.0.0');
    const { Id, Image } = await host.project.inspect('roma');
    expect(Id).not.toBe(v1.Id);
    expect(Image).toBe(v1.Image);
    expect(run.log).not.toMatch(BUILD_OUTPUT);
    expect(await host.project.git('rev-parse', 'HEAD')).toBe(host.project.firstCommit);
    expect(run.summary).toContain('`rollback`');
  });

  it('is released again by a later attempt when it is the newer one: an attempt proves no rollback', async () => {
    host.tag('v3.0.0', await host.project.commitRelease({ version: '3.0.0' }));
    const run = await host.run({ ...tagged('v3.0.0'), attempt: 2 });
    expect(run.conclusion, run.log).toBe('success');
    expect(await servedVersion(host.project)).toBe('3.0.0');
    expect(run.summary).toContain('`code-update`');
    expect(run.summary).not.toContain('`rollback`');
  });

  it('is not what a branch is: nothing is touched', async () => {
    const before = await host.project.inspect('roma');
    const run = await host.run({ caller: 'release.yml', event: 'push', ref: 'refs/heads/main' });
    expect(run.conclusion, run.log).toBe('failure');
    expect((await host.project.inspect('roma')).Id).toBe(before.Id);
  });
});
