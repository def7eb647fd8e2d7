import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reportSchema } from '../../src/report/report-schema.js';
import { makeProject, type Project } from '../support/project.js';
import { makeJob, type Job, type RunnerResult } from '../support/runner.js';

/** Long enough to be hidden, and used where it would be seen: in a command that the plan and the log show. */
const TOKEN = 'ghs_16C7e42F292c6912E7710c838347Ae178B4a';

const inputsFor = (project: Project, more: Readonly<Record<string, string>>): Record<string, string> => ({
  service: 'roma',
  'working-directory': project.dir,
  'state-dir': join(project.root, 'state'),
  'min-free-disk': '10MB',
  watch: '2s',
  'github-token': TOKEN,
  'build-command': `echo fetching packages with ${TOKEN}`,
  'smoke-test': `curl --silent --fail ${project.url}/version`,
  'version-command': 'pnpm roma --version',
  ...more,
});

const readReport = async (result: RunnerResult) =>
  reportSchema.parse(JSON.parse(await readFile(result.outputs['report-path'] ?? '', 'utf8')));

/** Everything the run left for others to read. */
async function everythingSaid(result: RunnerResult): Promise<string> {
  const folder = result.outputs['evidence-path'] ?? '';
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const texts = await Promise.all(
    files.filter((file) => file.isFile()).map((file) => readFile(join(file.parentPath, file.name), 'utf8')),
  );
  return [result.log, result.summary, ...Object.values(result.outputs), ...texts].join('\n');
}

describe('the bundle, as the runner runs it', () => {
  let project: Project;
  let job: Job;
  let first: RunnerResult;

  const run = async (more: Readonly<Record<string, string>>, commit: string): Promise<RunnerResult> =>
    job.run({ inputs: inputsFor(project, more), environment: { GITHUB_SHA: commit } });

  beforeAll(async () => {
    [project, job] = await Promise.all([makeProject({ fixture: 'roma' }), makeJob()]);
    first = await run({ procedure: 'code-update' }, project.firstCommit);
  });

  afterAll(async () => {
    await Promise.all([project.cleanup(), job.remove()]);
  });

  it('deploys, updates, leaves alone, and rolls back, with outputs that say what the engine shows', async () => {
    expect(first.exitCode, first.log).toBe(0);
    expect(first.outputs).toMatchObject({ outcome: 'deployed', 'previous-release': '', 'downtime-ms': '0' });
    const v1 = await project.inspect('roma');

    const commit = await project.commitRelease({ version: '2.0.0' });
    const update = await run({ procedure: 'code-update', 'expected-version': '2.0.0' }, commit);
    expect(update.exitCode, update.log).toBe(0);
    const v2 = await project.inspect('roma');
    expect(v2.Id).not.toBe(v1.Id);
    expect((await project.get('/version')).text).toContain('2.0.0');
    expect(update.outputs).toMatchObject({
      outcome: 'deployed',
      'previous-release': first.outputs['release'],
      'image-digest': v2.Image,
    });
    expect(update.outputs['release']).not.toBe(first.outputs['release']);
    // What the engine says: the old one's end and the new one's start are the least that the outage can be.
    const downtime = Number(update.outputs['downtime-ms']);
    expect(downtime).toBeGreaterThan(50);
    expect(Number(update.outputs['duration-ms'])).toBeGreaterThan(downtime + 2_000);
    // The sample's health check runs every 30 s: Docker's own verdict comes after a watch as short as this.
    expect(JSON.parse(update.outputs['warnings'] ?? '')).toMatchObject([{ sign: 'note', severity: 'low' }]);
    expect(JSON.parse(update.outputs['plan'] ?? '')).toMatchObject({
      procedure: 'code-update',
      services: [{ service: 'roma', strategy: 'recreate' }],
    });
    const report = await readReport(update);
    expect(report).toMatchObject({ outcome: 'deployed', changed: true, services: [{ commit, downtimeMs: downtime }] });
    expect(report.invocation.runUrl).toBe('https://github.com/example/roma/actions/runs/1234567');
    expect(await readdir(join(update.outputs['evidence-path'] ?? ''))).toContain('report.json');

    const again = await run({ procedure: 'code-update', 'expected-version': '2.0.0' }, commit);
    expect(again.outputs['outcome'], again.log).toBe('unchanged');
    expect(again.exitCode).toBe(0);
    expect(await project.containerId('roma')).toBe(v2.Id);

    const back = await run({ procedure: 'rollback', 'rollback-to': 'previous' }, commit);
    expect(back.exitCode, back.log).toBe(0);
    expect(back.outputs).toMatchObject({
      outcome: 'deployed',
      release: first.outputs['release'],
      'previous-release': update.outputs['release'],
    });
    const restored = await project.inspect('roma');
    expect(restored.Image).toBe(v1.Image);
    expect(restored.Id).not.toBe(v2.Id);
    expect((await project.get('/version')).text).toContain('1.0.0');
    expect((await readReport(back)).outcome).toBe('deployed');
  });

  it('turns the job red for a release that does not start, with the one before it back', async () => {
    const before = await project.inspect('roma');
    const commit = await project.commitRelease({ version: '3.0.0', chaos: 'exit-at-once' });
    const broken = await run({ procedure: 'code-update' }, commit);
    expect(broken.exitCode, broken.log).toBe(1);
    expect(broken.outputs['outcome']).toBe('rolled-back');
    const after = await project.inspect('roma');
    expect(after.Image).toBe(before.Image);
    expect(after.State.Running).toBe(true);

    const errors = broken.annotations.filter((annotation) => annotation.level === 'error');
    expect(errors.length).toBeGreaterThanOrEqual(1);
    expect(errors.length).toBeLessThanOrEqual(10);
    expect(errors.at(-1)?.text).toMatch(/^rolled-back: [^]*\nNext: /);

    expect(broken.summary).toMatch(/^# \S+ .*rolled.back/i);
    expect(broken.summary).toMatch(/- \[x\] Prepared rollback plan/);
    expect((await readReport(broken)).error?.code).toBe('E_NOT_READY');
  });

  it('opens the summary with the outcome, ticks the checklists and holds the targets against what was measured', () => {
    const { summary } = first;
    expect(summary).toMatch(/^# \S+ .*deployed/i);
    expect(summary).toMatch(/- \[x\] .*Smoke tests pass/);
    expect(summary).toMatch(/- \[ \] .*Backed up state/);
    expect(summary).toMatch(/- \[ \] Prepared rollback plan: .*no release to go back to/);
    expect(summary).toMatch(/^\| Restart time \| &lt;30 s \| [\d.]+ m?s \| ✔ yes \|$/m);
    expect(summary.indexOf('Live now')).toBeLessThan(summary.indexOf('Checklists'));
  });

  it('says the token to the runner and to nobody else', async () => {
    expect(first.masks).toContain(TOKEN);
    const said = await everythingSaid(first);
    expect(said).toContain('fetching packages with');
    expect(said).not.toContain(TOKEN);
  });

  it('leaves nothing for post to do when main came to its end', async () => {
    const before = await project.inspect('roma');
    const post = await job.run({
      door: 'post',
      inputs: inputsFor(project, { procedure: 'code-update' }),
      state: first.state,
      // An engine that is not there: what touches one fails.
      environment: { DOCKER_HOST: 'unix:///nonexistent/docker.sock' },
    });
    expect(first.state).toMatchObject({ ended: 'true' });
    expect(post.exitCode, post.log).toBe(0);
    expect(post.log.trim()).toBe('');
    expect(post.summary).toBe('');
    expect((await project.inspect('roma')).State.StartedAt).toBe(before.State.StartedAt);
  });
});
