import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readActionInputs } from '../../scripts/lib/workflow-model.mjs';
import { REPOSITORY, runWorkflow, type WorkflowResult, type WorkflowRun } from '../support/act.js';

/**
 * The example callers, executed by a workflow engine down to the action's door: which procedure and inputs arrive
 * there, what comes back, and what happens when it fails. The action itself is a stand-in that notes its inputs.
 */
const root = mkdtempSync(join(tmpdir(), 'rr-callers-'));
const repository = join(root, 'repository');
const bundle = join(root, 'dist');

const STAND_IN = `
const { appendFileSync, mkdirSync, writeFileSync } = require('node:fs');
const input = (name) => process.env['INPUT_' + name.toUpperCase()];
const evidence = process.env.RUNNER_TEMP + '/evidence';
mkdirSync(evidence, { recursive: true });
writeFileSync(evidence + '/service.log', 'a line');
writeFileSync(process.env.RUNNER_TEMP + '/report.json', '{}');
const given = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('INPUT_')));
const fails = input('smoke-test') === 'false';
appendFileSync(process.env.GITHUB_OUTPUT, [
  'plan=' + JSON.stringify(given), 'outcome=' + (fails ? 'rolled-back' : 'deployed'),
  'report-path=' + process.env.RUNNER_TEMP + '/report.json', 'evidence-path=' + evidence, '',
].join('\\n'));
appendFileSync(process.env.GITHUB_STATE, 'run=42\\n');
process.exitCode = fails ? 1 : 0;
`;

function git(...args: string[]): string {
  const identity = ['-c', 'user.name=Test', '-c', 'user.email=test@example.invalid'];
  return execFileSync('git', ['-C', repository, ...identity, ...args], { encoding: 'utf8' }).trim();
}

beforeAll(() => {
  for (const [name, text] of [
    ['main', STAND_IN],
    ['post', "console.log('post knows run ' + process.env.STATE_run);"],
  ] as const) {
    mkdirSync(bundle, { recursive: true });
    writeFileSync(join(bundle, `${name}.js`), text);
  }
  mkdirSync(repository);
  git('init', '--quiet', '--initial-branch', 'main');
  git('commit', '--quiet', '--allow-empty', '--message', 'first');
  git('tag', '--annotate', 'v1.0.0', '--message', 'v1.0.0');
  git('commit', '--quiet', '--allow-empty', '--message', 'second');
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

const results: WorkflowResult[] = [];
afterAll(() => {
  for (const result of results) result.dispose();
});

async function run(options: Omit<WorkflowRun, 'repository' | 'bundle'>): Promise<WorkflowResult> {
  const result = await runWorkflow({ repository, bundle, ...options });
  results.push(result);
  return result;
}

function given(result: WorkflowResult): Record<string, string> {
  return JSON.parse(result.outputs.plan ?? '{}') as Record<string, string>;
}

describe('deploy.yml', () => {
  it('deploys the pushed commit of main', async () => {
    const result = await run({ caller: 'deploy.yml', event: 'push', ref: 'refs/heads/main' });
    expect(result).toMatchObject({ conclusion: 'success', exitCode: 0, sha: git('rev-parse', 'main') });
    expect(given(result)).toMatchObject({
      INPUT_PROCEDURE: 'code-update',
      'INPUT_WORKING-DIRECTORY': '/srv/roma',
      'INPUT_SMOKE-TEST': 'pnpm roma:onthisday',
      'INPUT_AUTO-ROLLBACK': 'true',
      'INPUT_GITHUB-TOKEN': 'token-of-the-harness',
    });
    expect(result.log).toContain('post knows run 42');
  });

  it('is red when the action is, and keeps report and evidence', async () => {
    const result = await run({
      caller: 'deploy.yml',
      event: 'push',
      ref: 'refs/heads/main',
      with: { 'smoke-test': 'false' },
    });
    expect(result).toMatchObject({ conclusion: 'failure', exitCode: 1, outputs: { outcome: 'rolled-back' } });
    expect(result.artifacts).toHaveLength(1);
    const artifact = join(result.artifactsPath, result.artifacts[0] ?? '');
    expect(readdirSync(artifact, { recursive: true })).toEqual(
      expect.arrayContaining(['report.json', 'evidence', join('evidence', 'service.log')]),
    );
  });

  it('takes a list of labels for the runner', async () => {
    const result = await run({
      caller: 'deploy.yml',
      event: 'push',
      ref: 'refs/heads/main',
      with: { runner: '["production", "docker"]' },
    });
    expect(result.conclusion).toBe('success');
  });

  it.each([
    ['of another repository', { full_name: 'somebody/roma' }, 'skipped'],
    ['of a fork that is gone', null, 'skipped'],
    ['of the same repository', { full_name: REPOSITORY }, 'success'],
  ])('called for a pull request %s', async (_, repo, conclusion) => {
    const payload = { pull_request: { head: { repo, ref: 'main' }, base: { ref: 'main' } } };
    const result = await run({ caller: 'deploy.yml', event: 'pull_request', ref: 'refs/heads/main', payload });
    expect(result.conclusion).toBe(conclusion);
    expect(result.log.includes('Run Main Rolling Restart')).toBe(conclusion === 'success');
  });
});

describe('deploy-chain.yml', () => {
  const main = { event: 'push', ref: 'refs/heads/main' } as const;
  const staged = { ...main, caller: 'deploy-staged.yml' };

  it.each([
    ['as a call of a call, which it is', true],
    ['with the called job in the place of the call', false],
  ])('deploys the same commit to each host, with what the list says of it: %s', async (_, nested) => {
    const result = await run({ ...staged, nested });
    expect(result.log.match(/Run Main Rolling Restart/g)).toHaveLength(2);
    expect(result).toMatchObject({ conclusion: 'success', sha: git('rev-parse', 'main') });
    expect(given(result)).toMatchObject({
      INPUT_PROCEDURE: 'code-update',
      'INPUT_WORKING-DIRECTORY': '/srv/roma',
      INPUT_ENVIRONMENT: 'production',
      'INPUT_ENVIRONMENT-URL': 'https://www.example.com',
      INPUT_REF: '',
      INPUT_WATCH: '5m',
      'INPUT_AUTO-ROLLBACK': 'true',
      'INPUT_PROBE-RATE': '20',
    });
    expect(result.stepOutputs['chain']).toMatchObject({ outcome: 'deployed' });
    expect(result.summary).toContain('# ✅ 2 hosts: deployed');
    expect(result.summary).toContain(`Commit \`${result.sha}\``);
  });

  it('does not begin the second host when the first one fails, and the summary says so', async () => {
    const result = await run({ ...main, caller: 'deploy-hosts.yml', with: { 'smoke-test': 'false' } });
    expect(result).toMatchObject({ conclusion: 'failure', exitCode: 1 });
    expect(result.log.match(/Run Main Rolling Restart/g)).toHaveLength(1);
    expect(result.stepOutputs['chain']).toMatchObject({ outcome: 'rolled-back' });
    expect(result.log).toContain('web-1: rolled-back. Not begun: web-2.');
    expect(result.summary).toContain('| 2 | web-2 | production | not begun |  |  |');
  });

  it.each([
    ['is no JSON', { hosts: 'web-1' }, 'hosts is not JSON'],
    ['is empty', { hosts: '[]' }, 'hosts is an empty list'],
    [
      'has a field that does not exist',
      { hosts: '[{"runner": "web-1", "env": "x"}]' },
      'fields that do not exist: env',
    ],
    ['goes with the name of a branch', { ref: 'main' }, 'ref has to be a whole commit id'],
  ])('is refused with one error, before anything runs, when the list %s', async (_, replaced, message) => {
    const result = await run({ ...main, caller: 'deploy-hosts.yml', with: replaced });
    expect(result.conclusion).toBe('failure');
    expect(result.log).toContain(message);
    expect(result.log.match(/The list of hosts cannot be used|Not all hosts were deployed/g)).toHaveLength(1);
    expect(result.log).not.toContain('Run Main Rolling Restart');
    expect(result.stepOutputs['chain']).toEqual({ outcome: 'refused', hosts: '[]' });
  });

  it('is skipped for a pull request of another repository', async () => {
    const head = { repo: { full_name: 'somebody/roma' }, ref: 'main' };
    const payload = { pull_request: { head, base: { ref: 'main' } } };
    expect((await run({ ...staged, event: 'pull_request', payload })).conclusion).toBe('skipped');
  });
});

describe('release.yml', () => {
  it.each([1, 2])('deploys the commit of the tag on attempt %i, as a rollback when it is older', async (attempt) => {
    const result = await run({ caller: 'release.yml', event: 'push', ref: 'refs/tags/v1.0.0', attempt });
    const commit = git('rev-parse', 'v1.0.0^{commit}');
    expect(result).toMatchObject({ conclusion: 'success', sha: commit });
    expect(given(result)).toMatchObject({
      INPUT_PROCEDURE: 'code-update',
      INPUT_REF: commit,
      'INPUT_ALLOW-DOWNGRADE': 'true',
    });
  });

  it('refuses a branch before the action starts', async () => {
    const result = await run({ caller: 'release.yml', event: 'push', ref: 'refs/heads/main' });
    expect(result.conclusion).toBe('failure');
    expect(result.log).toContain('release.yml deploys tags, and this run is for refs/heads/main');
    expect(result.outputs).not.toHaveProperty('plan');
  });
});

describe('maintenance.yml', () => {
  const dispatch = { caller: 'maintenance.yml', event: 'workflow_dispatch', ref: 'refs/heads/main' } as const;

  it('carries out what the form says, and notes why', async () => {
    const reason = 'frozen since 9 `$(id)`\n::error::not a command';
    const inputs = { procedure: 'emergency', service: 'roma', 'dry-run': 'true', reason };
    const result = await run({ ...dispatch, inputs });
    expect(result.conclusion).toBe('success');
    expect(given(result)).toMatchObject({
      INPUT_PROCEDURE: 'emergency',
      INPUT_SERVICE: 'roma',
      'INPUT_DRY-RUN': 'true',
    });
    // The action refuses what it does not know, so the form's own inputs must not reach it.
    const known = readActionInputs().map(({ name }) => `INPUT_${name.toUpperCase()}`);
    expect(known).toEqual(expect.arrayContaining(Object.keys(given(result))));
    expect(result.summary).toContain('asked for this: frozen since 9 `$(id)` ::error::not a command');
  });

  it('refuses a procedure that has its own workflow', async () => {
    const inputs = { procedure: 'code-update', service: '', 'dry-run': 'false', reason: '' };
    const result = await run({ ...dispatch, inputs });
    expect(result.conclusion).toBe('failure');
    expect(result.log).toContain('Call deploy.yml, release.yml or rollback.yml for the others.');
    expect(result.outputs).not.toHaveProperty('plan');
  });
});

describe('emergency.yml', () => {
  it('hands on what is wrong, for the incident log and the issue', async () => {
    const inputs = { reason: 'it answers nothing', 'dry-run': 'false' };
    const result = await run({ caller: 'emergency.yml', event: 'workflow_dispatch', ref: 'refs/heads/main', inputs });
    expect(result.conclusion).toBe('success');
    expect(given(result)).toMatchObject({ INPUT_PROCEDURE: 'emergency', INPUT_REASON: 'it answers nothing' });
    expect(result.summary).toContain('asked for this: it answers nothing');
  });
});

describe('slo-review.yml', () => {
  it('asks for the review of a month', async () => {
    const result = await run({ caller: 'slo-review.yml', event: 'workflow_dispatch', ref: 'refs/heads/main' });
    expect(result.conclusion).toBe('success');
    expect(given(result)).toMatchObject({ INPUT_PROCEDURE: 'slo-report', INPUT_PERIOD: '31d' });
  });
});

describe('rollback.yml', () => {
  it('hands on what to go back to', async () => {
    const result = await run({
      caller: 'rollback.yml',
      event: 'workflow_dispatch',
      ref: 'refs/heads/main',
      inputs: { 'rollback-to': 'release:r7', 'dry-run': 'false', reason: '' },
    });
    expect(result.conclusion).toBe('success');
    expect(given(result)).toMatchObject({ INPUT_PROCEDURE: 'rollback', 'INPUT_ROLLBACK-TO': 'release:r7' });
  });
});

describe('a caller in another repository', () => {
  const [first, second] = ['1'.repeat(40), '2'.repeat(40)];
  /** `v1` has moved on to the second commit; `v1.0.0` and the commits stay what they are. */
  const versions = [
    { ref: 'v1.0.0', commit: first, bundle: join(root, 'first') },
    { ref: 'v1', commit: second, bundle: join(root, 'second') },
    { ref: first, commit: first, bundle: join(root, 'first') },
    { ref: second, commit: second, bundle: join(root, 'second') },
  ];
  beforeAll(() => {
    for (const name of ['first', 'second']) {
      for (const door of ['main', 'post']) {
        mkdirSync(join(root, name), { recursive: true });
        const script = `console.log('${door} of the ${name} commit');\n${door === 'main' ? STAND_IN : ''}`;
        writeFileSync(join(root, name, `${door}.js`), script);
      }
    }
  });

  it.each([
    ['a tag', 'v1.0.0', 'first', 'second'],
    ['a tag that moves', 'v1', 'second', 'first'],
    ['a commit', first, 'first', 'second'],
    ['another commit', second, 'second', 'first'],
  ])('that pins %s runs the action of exactly that commit', async (_, pinned, name, other) => {
    const push = { event: 'push', ref: 'refs/heads/main', versions, pinned } as const;
    const result = await run({ caller: 'deploy.yml', ...push });
    expect(result.conclusion, result.log).toBe('success');
    expect(result.log).toContain(`main of the ${name} commit`);
    expect(result.log).toContain(`post of the ${name} commit`);
    expect(result.log).not.toContain(`of the ${other} commit`);
  });

  it('gets the workflows that a workflow calls at that commit as well', async () => {
    const push = { event: 'push', ref: 'refs/heads/main', versions, pinned: 'v1', nested: true } as const;
    const result = await run({ caller: 'deploy-hosts.yml', ...push });
    expect(result.conclusion, result.log).toBe('success');
    expect(result.log.match(/main of the second commit/g)).toHaveLength(2);
    expect(result.log).not.toContain('of the first commit');
  });
});

describe('plan.yml', () => {
  const asked = { caller: 'plan.yml', event: 'pull_request', ref: 'refs/heads/main' } as const;
  const from = (repo: unknown) => ({ pull_request: { head: { repo, ref: 'feature' }, base: { ref: 'main' } } });

  it('plans the commit that merging would make', async () => {
    const result = await run({ ...asked, payload: from({ full_name: REPOSITORY }) });
    expect(result.conclusion, result.log).toBe('success');
    expect(given(result)).toMatchObject({ INPUT_PROCEDURE: 'plan', INPUT_REF: result.sha });
  });

  it.each([
    ['a fork', { full_name: 'somebody/roma' }],
    ['a fork that is gone', null],
  ])('does not even look at %s', async (_, repo) => {
    expect((await run({ ...asked, payload: from(repo) })).conclusion).toBe('skipped');
  });

  it('is for pull requests alone', async () => {
    expect((await run({ ...asked, event: 'push' })).conclusion).toBe('skipped');
  });
});
