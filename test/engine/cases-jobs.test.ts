import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isBad, liveRelease } from '../../src/model/release.js';
import { makeCase, type Case, type CaseRun } from '../support/cases.js';
import { docker } from '../support/engine-containers.js';
import { historyOf } from '../support/live.js';

const CASE = '08-one-shot-nobody-waits-for';

let project: Case;

/** One line for each time that the job ran, with the version of its definition. */
async function runs(): Promise<readonly string[]> {
  const text = await readFile(join(project.dir, 'runs/log'), 'utf8').catch(() => '');
  return text.split('\n').filter((line) => line !== '');
}

const live = async (service: string): Promise<string | undefined> => liveRelease(await historyOf(project, service))?.id;

const outcomes = ({ report }: CaseRun): unknown => report.services.map(({ service, outcome }) => [service, outcome]);

/** What `status` says differs from what was deployed. */
async function driftKinds(): Promise<readonly string[]> {
  const { log } = await project.run('status');
  expect(log).toContain('"drift": [');
  return [...log.matchAll(/"kind": "([a-z-]+)"/g)].map(([, kind]) => kind ?? '');
}

const names = async (service: string): Promise<readonly string[]> => {
  const filters = ['project', 'service'].flatMap((label) => [
    '--filter',
    `label=com.docker.compose.${label}=${label === 'project' ? project.name : service}`,
  ]);
  const text = await docker('ps', '--all', ...filters, '--format', '{{.Names}}');
  return text.split('\n').filter((name) => name !== '');
};

/** The job writes down that it runs; `web` waits for its end or does not. */
async function withCounter(waits: boolean): Promise<void> {
  await project.edit(
    'compose.yml',
    /migrate: .*/,
    `migrate:
    image: ${project.name}-base:node
    pull_policy: never
    command: ['sh', '-c', 'echo $$JOB >> /runs/log; sleep $$TAKES; exit $$CODE']
    volumes: ['./runs:/runs']
    environment: { JOB: '1', CODE: '0', TAKES: '0' }`,
  );
  const waiting = 'depends_on: { migrate: { condition: service_completed_successfully } }';
  await project.edit('compose.yml', "V: '1' }", `V: '1' }, pull_policy: never${waits ? `, ${waiting}` : ''}`);
}

const job = (change: Readonly<Record<'JOB' | 'CODE' | 'TAKES', string>>): Promise<void> =>
  project.edit(
    'compose.yml',
    /environment: \{ JOB: .*/,
    `environment: { JOB: '${change.JOB}', CODE: '${change.CODE}', TAKES: '${change.TAKES}' }`,
  );

describe('case 08: a job that nobody waits for', () => {
  beforeAll(async () => {
    project = await makeCase(CASE);
  });

  afterAll(async () => {
    await project.cleanup();
  });

  it('has ended with 0, is done, and the others are deployed; the dry run says so', async () => {
    const run = await project.predict('code-update');
    expect(outcomes(run), run.log).toEqual([
      ['migrate', 'deployed'],
      ['web', 'deployed'],
    ]);
    const again = await project.predict('code-update');
    expect(again.report.outcome, again.log).toBe('unchanged');
  });
});

describe('case 08: what plain Compose started, changed', () => {
  beforeAll(async () => {
    project = await makeCase(CASE);
    await withCounter(false);
    await project.sh('docker compose up -d');
    await docker('wait', await project.containerId('migrate'));
    expect(await runs()).toEqual(['1']);
  });

  afterAll(async () => {
    await project.cleanup();
  });

  it('runs the new job once and the old one not again, and deploys web', async () => {
    await job({ JOB: '2', CODE: '0', TAKES: '0' });
    await project.edit('compose.yml', "V: '1'", "V: '2'");
    const run = await project.predict('code-update');
    expect(run.report.outcome, run.log).toBe('deployed');
    expect(await runs()).toEqual(['1', '2']);
    expect((await project.inspect('web')).Config.Env).toContain('V=2');
  });

  it('does not run the old job when the new one fails, and says what is live', async () => {
    const before = await live('migrate');
    await job({ JOB: '3', CODE: '4', TAKES: '0' });
    const run = await project.predict('code-update');
    expect(run.report.outcome, run.log).toBe('rolled-back');
    expect(run.report.error?.message, run.log).toContain('code 4');
    expect(await runs()).toEqual(['1', '2', '3']);
    expect(await live('migrate')).toBe(before);
    expect(await names('migrate')).toEqual([]);
    const check = await project.run('check');
    expect(check.report.headline, check.log).toContain('everything that runs is healthy');
  });
});

describe.each([
  ['that another service waits for', true],
  ['that nobody waits for', false],
])('a job %s', (_what, waits) => {
  beforeAll(async () => {
    project = await makeCase(CASE);
    await withCounter(waits);
    const first = await project.predict('code-update');
    expect(first.report.outcome, first.log).toBe('deployed');
    expect(await runs()).toEqual(['1']);
  });

  afterAll(async () => {
    await project.cleanup();
  });

  it('is unchanged when its container is gone: the ledger knows that it completed', async () => {
    await docker('rm', await project.containerId('migrate'));
    const run = await project.predict('code-update');
    expect(run.report.outcome, run.log).toBe('unchanged');
    expect(run.log).toContain('is a job that has completed');
    expect(await driftKinds()).toEqual([]);
    expect(await runs()).toEqual(['1']);
  });

  it('runs when it changed; a rollback makes the release before live without running it', async () => {
    const before = await live('migrate');
    await job({ JOB: '2', CODE: '0', TAKES: '0' });
    const run = await project.predict('code-update');
    expect(outcomes(run), run.log).toEqual([
      ['migrate', 'deployed'],
      ['web', 'unchanged'],
    ]);
    expect(await runs()).toEqual(['1', '2']);
    const left = await live('migrate');
    const back = await project.predict('rollback', { service: 'migrate', 'rollback-to': 'previous' });
    expect(back.report.outcome, back.log).toBe('deployed');
    expect(await live('migrate')).toBe(before);
    expect(isBad(await historyOf(project, 'migrate'), left ?? '')).toBe(true);
    await job({ JOB: '1', CODE: '0', TAKES: '0' });
    const again = await project.predict('code-update');
    expect(again.report.outcome, again.log).toBe('unchanged');
    expect(await runs()).toEqual(['1', '2']);
  });

  it('is not run again by any restart, start or emergency', async () => {
    const web = await project.containerId('web');
    for (const [procedure, inputs] of [
      ['full-restart', {}],
      ['health-restart', { service: 'migrate' }],
      ['emergency', { service: 'migrate' }],
      // What is stopped and started again is told apart by the ledger, not by who waits for it.
      ...(waits ? [] : [['stop', { service: 'migrate' }] as const, ['start', { service: 'migrate' }] as const]),
    ] as const) {
      const run = await project.predict(procedure, inputs);
      expect(run.exitCode, run.log).toBe(0);
      expect(await runs(), run.log).toEqual(['1', '2']);
    }
    expect(await project.containerId('web')).not.toBe(web);
    const after = await project.predict('code-update');
    expect(after.report.outcome, after.log).toBe('unchanged');
  });

  it('is accepted by the recovery of a killed deploy when it ended well, and not run again', async () => {
    await job({ JOB: '3', CODE: '0', TAKES: waits ? '3' : '0' });
    expect(await project.killAt('after:begin:await-ready', 'code-update', { service: 'migrate' })).toBe(true);
    await expect.poll(runs).toEqual(['1', '2', '3']);
    const recovered = await project.run('recover');
    expect(recovered.exitCode, recovered.log).toBe(0);
    const run = await project.predict('code-update');
    expect(run.report.outcome, run.log).toBe('unchanged');
    expect(await runs()).toEqual(['1', '2', '3']);
  });

  it('that failed is undone by the recovery, which runs nothing', async () => {
    const before = await live('migrate');
    await job({ JOB: '4', CODE: '1', TAKES: '0' });
    expect(await project.killAt('after:begin:await-ready', 'code-update', { service: 'migrate' })).toBe(true);
    await expect.poll(runs).toHaveLength(4);
    const recovered = await project.run('recover');
    expect(recovered.exitCode, recovered.log).toBe(0);
    expect(await live('migrate')).toBe(before);
    await job({ JOB: '3', CODE: '0', TAKES: waits ? '3' : '0' });
    const run = await project.predict('code-update');
    expect(run.report.outcome, run.log).toBe('unchanged');
    expect(await runs()).toEqual(['1', '2', '3', '4']);
  });

  it('that was only created has not run', async () => {
    await project.sh('docker compose create --force-recreate migrate');
    const run = await project.predict('code-update', { service: 'migrate' });
    expect(outcomes(run), run.log).toEqual([['migrate', 'deployed']]);
    expect(await runs()).toEqual(['1', '2', '3', '4', '3']);
  });
});

describe('a worker that nothing in the file tells from a job', () => {
  beforeAll(async () => {
    project = await makeCase(CASE);
    await project.edit('compose.yml', "['true']", "['sleep', '600'], init: true");
    await project.edit('compose.yml', /V: '1' \}/g, "V: '1' }, pull_policy: never");
  });

  afterAll(async () => {
    await project.cleanup();
  });

  it('is ready when it stays up, comes back when the next one fails, and is restarted', async () => {
    const first = await project.predict('code-update', { watch: '1s' });
    expect(first.report.outcome, first.log).toBe('deployed');
    await project.edit('compose.yml', "['sleep', '600']", "['sh', '-c', 'exit 3']");
    const failed = await project.predict('code-update', { service: 'migrate' });
    expect(failed.report.outcome, failed.log).toBe('rolled-back');
    expect((await project.inspect('migrate')).State.Running).toBe(true);
    const before = (await project.inspect('migrate')).State.StartedAt;
    const restarted = await project.predict('health-restart', { service: 'migrate' });
    expect(restarted.report.outcome, restarted.log).toBe('deployed');
    expect((await project.inspect('migrate')).State.StartedAt).not.toBe(before);
  });

  it('is started again after a stop, though it ended with 0', async () => {
    await project.edit(
      'compose.yml',
      /\['sh', '-c', 'exit 3'\]/,
      "['sh', '-c', 'trap \"exit 0\" TERM; sleep 600 & wait']",
    );
    const run = await project.predict('code-update', { service: 'migrate' });
    expect(run.report.outcome, run.log).toBe('deployed');
    const stopped = await project.predict('stop', { service: 'migrate' });
    expect(stopped.exitCode, stopped.log).toBe(0);
    expect((await project.inspect('migrate')).State.ExitCode).toBe(0);
    const started = await project.predict('start', { service: 'migrate' });
    expect(started.report.outcome, started.log).toBe('deployed');
    expect((await project.inspect('migrate')).State.Running).toBe(true);
  });

  it('may end with 0 while it is watched, and not with anything else', async () => {
    await project.edit('compose.yml', /command: \['sh'.*wait'\]/, "command: ['sh', '-c', 'sleep 3; exit 0']");
    const ended = await project.predict('code-update', { service: 'migrate', watch: '60s' });
    expect(ended.report.outcome, ended.log).toBe('deployed');
    expect(ended.report.durationMs).toBeLessThan(40_000);
    await project.edit('compose.yml', 'sleep 3; exit 0', 'sleep 3; exit 5');
    const failed = await project.predict('code-update', { service: 'migrate', watch: '10s' });
    expect(failed.report.outcome, failed.log).toBe('rolled-back');
    expect(await names('migrate')).toEqual([]);
  });
});

describe('containers that are not wanted', () => {
  beforeAll(async () => {
    project = await makeCase(CASE);
    await project.edit(
      'compose.yml',
      /migrate: .*/,
      `other: { image: '${project.image('app', 1)}', scale: 0, restart: always, pull_policy: never }`,
    );
    const first = await project.predict('code-update');
    expect(outcomes(first), first.log).toEqual([
      ['other', 'unchanged'],
      ['web', 'deployed'],
    ]);
  });

  afterAll(async () => {
    await project.cleanup();
  });

  it('are none with zero replicas: made, removed, restarted and checked as that', async () => {
    expect(await names('other')).toEqual([]);
    await project.edit('compose.yml', 'scale: 0', 'scale: 1');
    const one = await project.predict('code-update', { service: 'other' });
    expect(one.report.outcome, one.log).toBe('deployed');
    await project.edit('compose.yml', 'scale: 1', 'deploy: { replicas: 0 }');
    const none = await project.predict('code-update', { service: 'other' });
    expect(none.report.outcome, none.log).toBe('deployed');
    expect(await names('other')).toEqual([]);
    for (const [procedure, inputs] of [
      ['code-update', { service: 'other' }],
      ['health-restart', { service: 'other' }],
      ['emergency', { service: 'other' }],
      ['start', { service: 'other' }],
      ['full-restart', {}],
    ] as const) {
      const run = await project.predict(procedure, inputs);
      expect(run.exitCode, run.log).toBe(0);
      expect(await names('other'), run.log).toEqual([]);
    }
    const check = await project.run('check');
    expect(check.report.headline, check.log).toContain('everything that runs is healthy');
    expect(await driftKinds()).toEqual([]);
  });

  it('are back when going to zero replicas is killed before it is verified', async () => {
    await project.edit('compose.yml', 'replicas: 0', 'replicas: 1');
    expect((await project.predict('code-update', { service: 'other' })).report.outcome).toBe('deployed');
    await project.edit('compose.yml', 'replicas: 1', 'replicas: 0');
    expect(await project.killAt('after:end:replace-containers', 'code-update', { service: 'other' })).toBe(true);
    expect(await names('other')).toEqual([]);
    const recovered = await project.run('recover');
    expect(recovered.exitCode, recovered.log).toBe(0);
    expect((await project.inspect('other')).State.Running).toBe(true);
    expect(await project.killAt('after:end:verify', 'code-update', { service: 'other' })).toBe(true);
    const accepted = await project.run('recover');
    expect(accepted.exitCode, accepted.log).toBe(0);
    expect(await names('other')).toEqual([]);
    expect((await project.predict('code-update', { service: 'other' })).report.outcome).toBe('unchanged');
  });

  it('are what an interrupted recreate left: not counted, named by check, removed by the next deploy', async () => {
    const web = await project.containerId('web');
    const left = `${web.slice(0, 12)}_${project.name}-web-1`;
    const leave = async (): Promise<void> => {
      const labels = (await project.inspect('web')).Config.Labels;
      const all = Object.entries(labels).flatMap(([name, value]) => ['--label', `${name}=${value}`]);
      await docker('create', '--name', left, ...all, project.image('app', 1));
    };
    await leave();
    const check = await project.run('check');
    expect(check.report.nextSteps.join('\n'), check.log).toContain(left);
    expect(check.log).not.toContain('2 of 1');
    const run = await project.predict('code-update', { service: 'web' });
    expect(run.report.outcome, run.log).toBe('unchanged');
    expect(run.predicted.log).toContain(`remove ${left}`);
    expect(await names('web')).toEqual([`${project.name}-web-1`]);
    expect(await project.containerId('web')).toBe(web);
    await leave();
    await project.edit('compose.yml', "V: '1'", "V: '2'");
    const changed = await project.predict('code-update', { service: 'web' });
    expect(changed.report.outcome, changed.log).toBe('deployed');
    expect(await names('web')).toEqual([`${project.name}-web-1`]);
    await leave();
    const restarted = await project.predict('emergency', { service: 'web' });
    expect(restarted.report.outcome, restarted.log).toBe('deployed');
    expect(await names('web')).toEqual([`${project.name}-web-1`]);
  });
});

describe('an optional dependency on a service of a profile', () => {
  beforeAll(async () => {
    project = await makeCase(CASE);
    await project.edit('compose.yml', /migrate: \{/, 'debug: { profiles: [debug],');
    await project.edit('compose.yml', "['true']", "['sleep', '600'], init: true");
    await project.edit(
      'compose.yml',
      "80'], environment: { V: '1' }",
      "80'], environment: { V: '1' }, depends_on: { debug: { condition: service_started, required: false } }",
    );
  });

  afterAll(async () => {
    await project.cleanup();
  });

  it('is ignored while the profile is off, as plain Compose does', async () => {
    const run = await project.predict('code-update');
    expect(outcomes(run), run.log).toEqual([['web', 'deployed']]);
    const before = await project.containerId('web');
    await project.sh('docker compose up -d');
    expect(await project.containerId('web')).toBe(before);
    expect(await names('debug')).toEqual([]);
    const again = await project.predict('code-update');
    expect(again.report.outcome, again.log).toBe('unchanged');
  });
});
