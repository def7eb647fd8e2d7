import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRegistry, type Registry } from '../../scripts/lib/registry.mjs';
import type { Project } from '../support/project.js';
import { makeWorkflowHost, servedVersion, type WorkflowHost } from '../support/workflow-host.js';

/** What BuildKit prints, which the action passes on: `#4 [build 1/7] FROM …`. */
const BUILD_OUTPUT = /^\s*│ #\d+ /m;

/** A tag is built once: two hosts, a registry, and what GitHub keeps of releases. */
let registry: Registry;
let repository: string;
let host: WorkflowHost;
let other: Project;
let v1: string;
beforeAll(async () => {
  registry = await startRegistry();
  repository = `${registry.address}/rr-${randomBytes(4).toString('hex')}/roma`;
  host = await makeWorkflowHost({}, { several: true });
  other = await host.another();
  v1 = host.project.firstCommit;
});
afterAll(async () => {
  await host.cleanup();
  await registry.stop();
});

const MAY_ATTEST = { ACTIONS_ID_TOKEN_REQUEST_URL: 'https://identity.test' };

const release = (
  tag: string,
  more: Parameters<WorkflowHost['run']>[0]['with'] = {},
  attempt = 1,
  env: Readonly<Record<string, string>> = MAY_ATTEST,
) =>
  host.run({
    caller: 'release.yml',
    event: 'push',
    ref: `refs/tags/${tag}`,
    attempt,
    with: { 'push-to': repository, ...more },
    granted: { contents: 'write', 'id-token': 'write', attestations: 'write' },
    env,
  });
const onOther = () => ({ 'working-directory': other.dir, 'state-dir': join(other.root, 'state') });

interface Kept {
  readonly tag: string;
  readonly commit: string;
  readonly images: Readonly<Record<string, string>>;
  readonly attestation?: string;
}

function record(tag: string): Kept {
  const found = host.github.releases.find((one) => one.tag === tag);
  return found?.assets[0]?.content as Kept;
}

/** Whether the image that a container of a project runs is known to the engine by this digest. */
async function runs(project: Project, reference: string): Promise<boolean> {
  const { Image } = await project.inspect('roma');
  const wanted = execFileSync('docker', ['image', 'inspect', '--format', '{{.Id}}', reference], { encoding: 'utf8' });
  return wanted.trim() === Image;
}

describe('a tag', () => {
  it('is built, pushed, attested and recorded by the first attempt', async () => {
    host.tag('v1.0.0', v1);
    const run = await release('v1.0.0');
    expect(run.conclusion, run.log).toBe('success');
    expect(run.jobs).toEqual({ release: 'success', record: 'success' });
    expect(run.log).toMatch(BUILD_OUTPUT);
    const { images, ...known } = record('v1.0.0');
    expect(known).toMatchObject({ tag: 'v1.0.0', commit: v1, attestation: 'https://github.test/attestations/1' });
    expect(images).toEqual(JSON.parse(run.outputs['pushed-images'] ?? '{}'));
    expect(images['roma']).toMatch(new RegExp(`^${repository}@sha256:[0-9a-f]{64}$`));
    expect(host.github.releases[0]).toMatchObject({ draft: false });
    expect(host.github.deployments[0]?.payload).toMatchObject({ 'rolling-restart': { images } });
    const subjects = readFileSync(join(run.artifactsPath, 'attestation', 'subjects'), 'utf8');
    expect(subjects).toBe(`${images['roma']?.split('@sha256:')[1] ?? ''}  ${repository}\n`);
    expect(run.summary).toContain('Recorded beside the release');
    expect(host.github.problems).toEqual([]);
  });

  it('is the very image on a host that never built it, whatever the tag in the registry names by then', async () => {
    const before = record('v1.0.0').images['roma'] ?? '';
    const impostor = `${repository}:git-${v1}`;
    execFileSync('docker', ['build', '--quiet', '--tag', impostor, '-'], { input: `FROM ${before}\nENV OTHER=yes\n` });
    execFileSync('docker', ['push', '--quiet', impostor]);
    execFileSync('docker', ['rmi', impostor]);
    const run = await release('v1.0.0', onOther(), 2);
    expect(run.conclusion, run.log).toBe('success');
    expect(run.outputs).toMatchObject({ outcome: 'deployed', 'pushed-images': '' });
    expect(JSON.parse(run.outputs['recorded-images'] ?? '')).toEqual(record('v1.0.0').images);
    expect(run.log).not.toMatch(BUILD_OUTPUT);
    expect(run.jobs).toEqual({ release: 'success', record: 'success' });
    expect(run.summary).toContain('Recorded beside the release before');
    expect(await runs(other, before)).toBe(true);
    expect(await servedVersion(other)).toBe('1.0.0');
  });

  it('is not built again when its first deployment failed', async () => {
    host.tag('v2.0.0', await host.project.commitRelease({ version: '2.0.0' }));
    const failed = await release(
      'v2.0.0',
      { service: 'roma', 'release-command': 'echo migration failed; exit 1' },
      1,
      {},
    );
    expect(failed.conclusion, failed.log).toBe('failure');
    expect(failed.jobs, failed.log).toEqual({ release: 'failure', record: 'success' });
    expect(failed.log).toContain('does not grant id-token: write');
    expect(failed.summary).toContain('Not attested.');
    expect(record('v2.0.0')).not.toHaveProperty('attestation');
    expect(await servedVersion(host.project)).toBe('1.0.0');
    expect(host.github.deployments[0]?.payload).toMatchObject({ 'rolling-restart': { ref: 'refs/tags/v2.0.0' } });
    expect(host.github.deployments[0]?.statuses[0]?.state).toBe('failure');

    const run = await release('v2.0.0', {}, 2);
    expect(run.conclusion, run.log).toBe('success');
    expect(run.log).not.toMatch(BUILD_OUTPUT);
    expect(await servedVersion(host.project)).toBe('2.0.0');
    expect(await runs(host.project, record('v2.0.0').images['roma'] ?? '')).toBe(true);
  });

  it('comes back by its digest when the older run is run again', async () => {
    const run = await release('v1.0.0', {}, 2);
    expect(run.conclusion, run.log).toBe('success');
    expect(run.summary).toContain('`rollback`');
    expect(run.log).not.toMatch(BUILD_OUTPUT);
    expect(await runs(host.project, record('v1.0.0').images['roma'] ?? '')).toBe(true);
    expect(host.github.deployments[0]?.payload).toMatchObject({
      'rolling-restart': { procedure: 'rollback', images: record('v1.0.0').images },
    });
  });
});

describe('a record that the first attempt lost', () => {
  it('is made by a later one, which builds nothing; what GitHub does not attest is said', async () => {
    host.tag('v3.0.0', await host.project.commitRelease({ version: '3.0.0' }));
    host.github.faults.push({ method: 'POST', path: /\/releases$/, with: 503, times: 1 });
    const lost = await release('v3.0.0', {}, 1, { ...MAY_ATTEST, ATTESTATIONS: 'none' });
    // A record is no reason to call a deployment bad.
    expect(lost.conclusion, lost.log).toBe('success');
    expect(await servedVersion(host.project)).toBe('3.0.0');
    expect(record('v3.0.0')).toBeUndefined();
    expect(lost.log).toContain('GitHub did not attest it; for a private repository that depends on the plan');
    expect(lost.log).toContain('The image is not recorded beside the release');
    expect(lost.summary).toContain('Not attested.');

    const run = await release('v3.0.0', {}, 2);
    expect(run.conclusion, run.log).toBe('success');
    expect(run.outputs).toMatchObject({ outcome: 'unchanged', 'pushed-images': '' });
    expect(run.log).not.toMatch(BUILD_OUTPUT);
    expect(record('v3.0.0')).toMatchObject({
      tag: 'v3.0.0',
      images: JSON.parse(lost.outputs['pushed-images'] ?? '{}') as unknown,
    });
    expect(record('v3.0.0')).not.toHaveProperty('attestation');
    expect(run.summary).toContain('An earlier run has built it');
    // Back to where the others go on from.
    expect((await release('v1.0.0', {}, 3)).conclusion).toBe('success');
    expect(host.github.problems).toEqual([]);
  });
});

describe('rollback.yml', () => {
  it('brings a tag to a host that never had it, by the recorded digest', async () => {
    const run = await host.run({
      caller: 'rollback.yml',
      event: 'workflow_dispatch',
      ref: 'refs/heads/main',
      inputs: { 'rollback-to': 'git:v2.0.0', 'dry-run': 'false', reason: '' },
      with: { 'push-to': repository, ...onOther() },
    });
    expect(run.conclusion, run.log).toBe('success');
    expect(run.log).not.toMatch(BUILD_OUTPUT);
    expect(await servedVersion(other)).toBe('2.0.0');
    expect(await runs(other, record('v2.0.0').images['roma'] ?? '')).toBe(true);
    expect(host.github.problems).toEqual([]);
  });
});
