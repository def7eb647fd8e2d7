import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRegistry, type Registry } from '../../scripts/lib/registry.mjs';
import { makeOwnBase } from '../support/own-image.js';
import { makeWorkflowHost, servedVersion, type WorkflowHost } from '../support/workflow-host.js';
import { REPOSITORY, type WorkflowResult } from '../support/act.js';

/**
 * The workflows that a person starts, on a real engine, with version 2 live and version 1 to go back to. The base image
 * comes from a registry, as a maintenance wants it.
 */
let registry: Registry;
let base: string;
let host: WorkflowHost;
beforeAll(async () => {
  registry = await startRegistry();
  base = `${registry.address}/rr-${randomBytes(4).toString('hex')}/node:22`;
  await makeOwnBase(base);
  docker('push', '--quiet', base);
  host = await makeWorkflowHost({ BASE_IMAGE: base });
  const push = { caller: 'deploy.yml', event: 'push', ref: 'refs/heads/main' } as const;
  await expectGreen(host.run(push));
  await host.project.commitRelease({ version: '2.0.0' });
  await expectGreen(host.run(push));
});
afterAll(async () => {
  await host.cleanup();
  docker('rmi', '--force', base, `${base}-patched`);
  await registry.stop();
});

function docker(...args: string[]): void {
  execFileSync('docker', args, { stdio: ['pipe', 'ignore', 'pipe'] });
}

/** The registry gets another image under the same name, and the engine keeps the one it has. */
function patchBase(): void {
  const dockerfile = `FROM ${base}\nENV PATCHED=yes\n`;
  execFileSync('docker', ['build', '--quiet', '--tag', `${base}-patched`, '-'], { input: dockerfile, stdio: 'pipe' });
  const unpatched = execFileSync('docker', ['image', 'inspect', '--format', '{{.Id}}', base], { encoding: 'utf8' });
  docker('tag', `${base}-patched`, base);
  docker('push', '--quiet', base);
  docker('tag', unpatched.trim(), base);
}

async function expectGreen(running: Promise<WorkflowResult>): Promise<WorkflowResult> {
  const run = await running;
  expect(run.conclusion, run.log).toBe('success');
  return run;
}

const issuesWith = (words: string): readonly unknown[] =>
  [...host.github.issues.values()].filter(({ body }) => body.includes(words));

const DISPATCHED = { caller: 'maintenance.yml', event: 'workflow_dispatch', ref: 'refs/heads/main' } as const;
/** The form as it stands there. */
const FORM = { service: 'roma', phase: '', 'dry-run': 'false', reason: '' };

function dispatch(
  procedure: string,
  form: Readonly<Record<string, string>> = {},
  more: { readonly refused?: RegExp } = {},
): Promise<WorkflowResult> {
  return host.run({ ...DISPATCHED, inputs: { ...FORM, procedure, ...form }, ...more });
}

describe('a person at the form', () => {
  it('checks, and nothing changes', async () => {
    const before = await host.project.inspect('roma');
    const run = await expectGreen(dispatch('check'));
    expect(run.outputs).toMatchObject({ outcome: 'completed' });
    expect(run.summary).toContain('Releases of roma');
    const after = await host.project.inspect('roma');
    expect([after.Id, after.State.StartedAt]).toEqual([before.Id, before.State.StartedAt]);
  });

  it('sees the plan of a maintenance, and nothing changes', async () => {
    const before = await host.project.inspect('roma');
    const run = await expectGreen(dispatch('maintenance', { 'dry-run': 'true' }));
    expect(run.summary).toMatch(/^# 📝 Dry run\n/);
    expect((await host.project.inspect('roma')).Id).toBe(before.Id);
  });

  it('is told on a pull request what merging it would do', async () => {
    const before = await host.project.inspect('roma');
    const head = { repo: { full_name: REPOSITORY }, ref: 'feature' };
    const payload = { number: 7, pull_request: { number: 7, head, base: { ref: 'main' } } };
    const compose = readFileSync(join(host.project.dir, 'docker-compose.yml'), 'utf8');
    const files = { 'docker-compose.yml': compose.replace('mem_limit: 2g', 'mem_limit: 3g') };
    await host.project.commitRelease({ files });
    // GitHub has the merge of a pull request under a name of its own.
    const env = { GITHUB_REF: 'refs/pull/7/merge' };
    const run = await expectGreen(
      host.run({ caller: 'plan.yml', event: 'pull_request', ref: 'refs/heads/main', payload, env }),
    );
    expect(run.outputs).toMatchObject({ outcome: 'completed' });
    expect(host.github.comments.map(({ number }) => number)).toEqual([7]);
    expect(host.github.comments[0]?.body).toContain('What merging would do to');
    expect(host.github.comments[0]?.body).toContain('+ mem_limit');
    expect((await host.project.inspect('roma')).Id).toBe(before.Id);
    await host.project.commitRelease({ files: { 'docker-compose.yml': compose } });
  });

  it('maintains: the container is another one, of the same version', async () => {
    const before = await host.project.inspect('roma');
    const run = await expectGreen(dispatch('maintenance', { reason: 'kernel update' }));
    expect(run.jobs).toEqual({ perform: 'success', verify: 'success' });
    expect(run.summary).toMatch(/^> .* asked for this: kernel update\n/);
    const after = await host.project.inspect('roma');
    expect(after.Id).not.toBe(before.Id);
    expect(after.State.Running).toBe(true);
    expect(await servedVersion(host.project)).toBe('2.0.0');
  });

  it('maintains in phases, a job each, and each finds what the one before did', async () => {
    const before = await host.project.inspect('roma');
    const deployments = host.github.deployments.length;
    const phases = ['announce', 'precheck', 'perform', 'verify', 'complete'];
    const inputs = { ...FORM, procedure: 'maintenance', phase: 'all', reason: 'all in one go' };
    const run = await expectGreen(host.run({ ...DISPATCHED, inputs, with: { gates: 'backup-age=warn' } }));
    expect(Object.keys(run.jobs).filter((id) => phases.includes(id))).toEqual(phases);
    expect(Object.values(run.jobs).every((result) => result === 'success')).toBe(true);
    expect((await host.project.inspect('roma')).Id).not.toBe(before.Id);
    expect(run.summary).toContain('Actual duration');
    expect(run.summary).toContain('whoever starts the workflow approves it by that');
    // One change, whatever number of jobs it took.
    expect(host.github.deployments).toHaveLength(deployments + 1);
  });

  it('maintains: a base image that the registry has patched is what runs then', async () => {
    expect((await host.project.inspect('roma')).Config.Env).not.toContain('PATCHED=yes');
    patchBase();
    await expectGreen(dispatch('maintenance', { reason: 'security patch' }));
    expect((await host.project.inspect('roma')).Config.Env).toContain('PATCHED=yes');
    expect(await servedVersion(host.project)).toBe('2.0.0');
  });

  it('does not perform what the precheck refuses', async () => {
    const before = await host.project.inspect('roma');
    const inputs = { ...FORM, procedure: 'maintenance', phase: 'all' };
    const run = await host.run({
      ...DISPATCHED,
      inputs,
      with: { gates: 'backup-age=warn', 'test-command': 'echo tests are red; exit 1' },
    });
    expect(run.conclusion, run.log).toBe('failure');
    expect(run.jobs).toMatchObject({ announce: 'success', precheck: 'failure' });
    expect(run.jobs).not.toHaveProperty('perform');
    expect(run.jobs).not.toHaveProperty('verify');
    expect(run.log).toContain('tests are red');
    expect((await host.project.inspect('roma')).Id).toBe(before.Id);
  });

  it('is refused a phase that there is not, and nothing is silently skipped', async () => {
    const inputs = { ...FORM, procedure: 'maintenance', phase: 'preform' };
    const run = await host.run({ ...DISPATCHED, inputs });
    expect(run.conclusion, run.log).toBe('failure');
    expect(run.outputs).toMatchObject({ outcome: 'refused' });
    expect(run.log).toMatch(/preform.*perform/s);
  });

  it('has the runs reviewed in one issue, which the next review brings up to date, and nothing changes', async () => {
    const before = await host.project.inspect('roma');
    const review = (period: string) =>
      expectGreen(
        host.run({ caller: 'slo-review.yml', event: 'workflow_dispatch', ref: 'refs/heads/main', with: { period } }),
      );
    const known = new Set(host.github.issues.keys());
    const reviews = () => [...host.github.issues].filter(([number]) => !known.has(number));
    const run = await review('31d');
    expect(run.outputs).toMatchObject({ outcome: 'completed' });
    expect(run.summary).toContain('Restart Performance Targets of roma (last 31 days)');
    expect(reviews()).toHaveLength(1);
    const [[number, issue] = []] = reviews();
    // The runbook's table, with what was measured on this host.
    expect(issue?.body).toContain('Restart Performance Targets of roma (last 31 days)');
    expect(issue?.body).toMatch(/\| Time \(code-update\) \| `<10 min` \| \d/);
    await review('7d');
    expect(reviews().map(([one]) => one)).toEqual([number]);
    expect(reviews()[0]?.[1].body).toContain('(last 7 days)');
    expect((await host.project.inspect('roma')).Id).toBe(before.Id);
    expect(host.github.problems).toEqual([]);
  });

  it('has a frozen service killed and started again', async () => {
    const before = await host.project.inspect('roma');
    execFileSync('docker', ['kill', '--signal', 'STOP', before.Id]);
    await expect(host.project.get('/version', 500)).rejects.toThrow();
    // Its job may open no issue: emergency.yml is for that.
    const refused = /issues/;
    const run = await expectGreen(dispatch('emergency', { reason: 'it does not answer' }, { refused }));
    expect(run.log).toContain('GitHub took no issue for the incident (the token needs issues: write)');
    expect(issuesWith('it does not answer')).toHaveLength(0);
    expect(run.outputs).toMatchObject({ outcome: 'deployed' });
    const after = await host.project.inspect('roma');
    expect(after.Id).not.toBe(before.Id);
    expect(after.Image).toBe(before.Image);
    expect(await servedVersion(host.project)).toBe('2.0.0');
  });

  it('has it killed and started again by the workflow for emergencies, with an issue for what was found', async () => {
    const before = await host.project.inspect('roma');
    execFileSync('docker', ['kill', '--signal', 'STOP', before.Id]);
    const inputs = { reason: 'frozen again', 'dry-run': 'false' };
    const run = await expectGreen(
      host.run({ caller: 'emergency.yml', event: 'workflow_dispatch', ref: 'refs/heads/main', inputs }),
    );
    expect(run.outputs).toMatchObject({ outcome: 'deployed' });
    expect((await host.project.inspect('roma')).Id).not.toBe(before.Id);
    expect(await servedVersion(host.project)).toBe('2.0.0');
    expect(issuesWith('frozen again')).toHaveLength(1);
    expect(host.github.problems).toEqual([]);
  });

  it('rolls back to the release before', async () => {
    const before = await host.project.inspect('roma');
    const inputs = { 'rollback-to': 'previous', 'dry-run': 'false', reason: '' };
    const run = await expectGreen(
      host.run({ caller: 'rollback.yml', event: 'workflow_dispatch', ref: 'refs/heads/main', inputs }),
    );
    expect(run.outputs).toMatchObject({ outcome: 'deployed' });
    const after = await host.project.inspect('roma');
    expect(after.Image).not.toBe(before.Image);
    expect(after.State.Running).toBe(true);
    // What ran before the last maintenance: the same version, on the base image of then.
    expect(after.Config.Env).not.toContain('PATCHED=yes');
  });
});
