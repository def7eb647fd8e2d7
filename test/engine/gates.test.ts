import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { execFileSync } from 'node:child_process';
import { readFile, writeFile, rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BASE_IMAGE, docker } from '../support/engine-containers.js';
import { expectUntouched, liveOf } from '../support/live.js';
import { carryOut } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';

/** Now and for the next hour, in UTC. */
function now(): string {
  const hour = new Date().getUTCHours();
  return `daily ${String(hour).padStart(2, '0')}:00-${String((hour + 2) % 24).padStart(2, '0')}:00`;
}

/** One project; nothing runs of it until a test deploys it. */
describe('gates', () => {
  let project: Project;
  const deploy = { procedure: 'code-update', service: 'app' };

  beforeAll(async () => {
    project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': served() } });
    await project.compose(['build']);
  });

  afterAll(async () => {
    await project.cleanup();
  });

  it('a port that a process or another container has: refused before anything is stopped, with its name', async () => {
    const process = createServer();
    await new Promise<void>((resolve) => process.listen(project.port, resolve));
    const taken = await carryOut(project, deploy);
    await new Promise((resolve) => process.close(resolve));
    expect(taken.report, taken.log).toMatchObject({ outcome: 'refused', changed: false });
    expect(taken.report.error?.message).toMatch(new RegExp(`port ${project.port} .* process .+ \\(pid \\d+\\) has`));

    const other = `${project.name}-other`;
    await docker('run', '-d', '--name', other, '-p', `${project.port}:80`, BASE_IMAGE, 'sleep', '600');
    try {
      const { report, log } = await carryOut(project, deploy);
      expect(report, log).toMatchObject({ outcome: 'refused', changed: false });
      expect(report.error?.message).toContain(`container ${other} has`);
    } finally {
      await docker('rm', '--force', other);
    }
  });

  it('peak hours refuse, also as a dry run; warn goes on, and so does force with who and why', async () => {
    const peak = { 'peak-hours': now() };
    for (const more of [{}, { 'dry-run': 'true' }]) {
      const { report, log } = await carryOut(project, { ...deploy, ...peak, ...more });
      expect(report.outcome, log).toBe('refused');
      expect(report.error?.message).toContain('It is peak time (daily');
    }
    const warned = await carryOut(project, { ...deploy, ...peak, gates: 'peak-hours=warn, disk-space=off' });
    expect(warned.report.outcome, warned.log).toBe('deployed');
    expect(warned.log).toContain('gate peak-hours: It is peak time');
    expect(warned.log).not.toContain('gate disk-space');
    const forced = await carryOut(project, { ...deploy, ...peak, force: 'true', reason: 'it leaks' });
    expect(forced.report.outcome, forced.log).toBe('unchanged');
    expect(forced.log).toMatch(/passed because of force, by tester at shell: it leaks/);
    const noted = forced.report.timeline.map(({ text }) => text).join('\n');
    expect(noted).toMatch(/gate peak-hours passed with force by tester at shell: it leaks: It is peak time/);
  });

  it('active jobs: waits for their end, refuses when they do not, and an emergency goes on', async () => {
    const job = `${project.root}/job`;
    await writeFile(job, 'rebuild the almanac\n');
    const jobs = { 'active-jobs-command': `cat ${job} 2> /dev/null || true` };
    const restart = { procedure: 'health-restart', service: 'app', ...jobs };
    const before = (await project.inspect('app')).State.StartedAt;
    const refused = await carryOut(project, { ...restart, 'active-jobs-timeout': '0s' });
    expect(refused.report, refused.log).toMatchObject({ outcome: 'refused', changed: false });
    expect(refused.report.error?.message).toContain('rebuild the almanac');
    expect((await project.inspect('app')).State.StartedAt).toBe(before);

    const strict = { gates: 'health=enforce, disk-space=enforce, active-jobs=enforce', 'min-free-disk': '999TB' };
    const asked = { procedure: 'emergency', service: 'app', ...jobs, ...strict, 'peak-hours': now() };
    await docker('kill', '--signal', 'STOP', await project.containerId('app'));
    const urgent = await carryOut(project, asked);
    expect(urgent.report.outcome, urgent.log).toBe('deployed');
    expect(urgent.log).toContain('Jobs are active: rebuild the almanac: emergency goes on all the same');

    const waited = await carryOut(
      project,
      { ...restart, 'active-jobs-timeout': '30s' },
      {
        onLine: (line) => {
          if (line.includes('waiting up to')) void rm(job, { force: true });
        },
      },
    );
    expect(waited.report.outcome, waited.log).toBe('deployed');
    expect(waited.log).toContain('the last ended after');
  });

  it('a disk that is too small, the engine’s or that of the checkout alone: refused before anything is fetched or built', async () => {
    const before = await liveOf(project, 'app');
    await project.commitRelease({ version: '2.0.0' });
    const images = (): Promise<string> => docker('images', '--no-trunc', '-q', `rolling-restart/${project.name}-app`);
    const had = await images();
    for (const procedure of ['code-update', 'config-change', 'maintenance', 'full-restart']) {
      const asked = {
        procedure,
        'min-free-disk': '999TB',
        ...(procedure === 'full-restart' ? {} : { service: 'app' }),
      };
      const { report, log } = await carryOut(project, asked);
      expect(report, log).toMatchObject({ outcome: 'refused', changed: false, error: { code: 'E_GATE' } });
      expect(report.error?.message).toMatch(
        /^Only .* are free on the disk of the engine \(\/.*\) or of the checkout; 999 TB are asked for$/,
      );
      expect(report.error?.next).toContain('docker system df');
      expect(log).not.toMatch(/build app|worktree|fetch/i);
      await expectUntouched(project, 'app', before, log);
    }

    // The same folder on a disk of its own, where a build has no room. (In another folder it would be another project.)
    const variables = await readFile(`${project.dir}/.env`, 'utf8');
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=20m', 'tmpfs', project.dir]);
    try {
      execFileSync('git', ['clone', '--quiet', project.origin, project.dir]);
      await writeFile(`${project.dir}/.env`, variables);
      const { report, log } = await carryOut(project, { ...deploy, 'min-free-disk': '30MB' });
      expect(report, log).toMatchObject({ outcome: 'refused', changed: false, error: { code: 'E_GATE' } });
      expect(report.error?.message).toMatch(/^Only \d+ MB are free .* or of the checkout; 30 MB are asked for$/);
      const enough = await carryOut(project, { ...deploy, 'min-free-disk': '5MB', 'dry-run': 'true' });
      expect(enough.report.outcome, enough.log).toBe('completed');
    } finally {
      execFileSync('umount', [project.dir]);
    }
    expect(await images()).toBe(had);
    await expectUntouched(project, 'app', before, 'the checkout on a disk of its own');
  });

  it('staging first: the same commit has to have been deployed there, by what GitHub says', async () => {
    let state: string | undefined;
    const github = createHttpServer((request, response) => {
      response.setHeader('content-type', 'application/json');
      const statuses = [
        { state: 'inactive', created_at: 'x' },
        ...(state === undefined ? [] : [{ state, created_at: 'then' }]),
      ];
      response.end(JSON.stringify(request.url?.includes('/statuses') === true ? statuses : [{ id: 1 }]));
    });
    await new Promise<void>((resolve) => github.listen(0, '127.0.0.1', resolve));
    const address = github.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const environment = {
      ...process.env,
      GITHUB_REPOSITORY: 'acme/roma',
      GITHUB_API_URL: `http://127.0.0.1:${address.port}`,
    };
    const asked = { ...deploy, 'require-environment': 'staging' };
    try {
      const blind = await carryOut(project, asked, { environment: { ...environment, GITHUB_REPOSITORY: undefined } });
      expect(blind.report.error?.message, blind.log).toContain('cannot be told: there is no github-token');
      const withToken = { ...asked, 'github-token': 't0ken', 'dry-run': 'true' };
      state = 'failure';
      const failed = await carryOut(project, withToken, { environment });
      expect(failed.report.outcome, failed.log).toBe('refused');
      expect(failed.report.error?.message).toContain('(the last is failure)');
      state = 'success';
      const passed = await carryOut(project, withToken, { environment });
      expect(passed.report.outcome, passed.log).toBe('completed');
      expect(passed.log).toContain('in environment staging was deployed on then');
    } finally {
      github.closeAllConnections();
      github.close();
    }
  });

  it('the age of the last backup: refuses without one, and is content once it is taken', async () => {
    // Fixture app has no data of its own until it is given a volume.
    const file = `${project.dir}/compose.yaml`;
    const restart = { procedure: 'health-restart', service: 'app', 'require-backup': '1h' };
    const none = await carryOut(project, restart);
    expect(none.report.outcome, none.log).toBe('deployed');
    expect(none.log).toContain('gate backup-age: app has no data that could be lost');
    await writeFile(file, `${served({ more: "    volumes: ['data:/data']\n" })}volumes:\n  data: {}\n`);
    const changed = await carryOut(project, { procedure: 'config-change', service: 'app' });
    expect(changed.report.outcome, changed.log).toBe('deployed');
    const before = (await project.inspect('app')).State.StartedAt;
    const refused = await carryOut(project, restart);
    expect(refused.report, refused.log).toMatchObject({ outcome: 'refused', changed: false });
    expect(refused.report.error?.message).toMatch(/no backup of app/);
    expect((await project.inspect('app')).State.StartedAt).toBe(before);
    const saved = await carryOut(project, { procedure: 'backup', service: 'app' });
    expect(saved.report.outcome, saved.log).toBe('completed');
    const restarted = await carryOut(project, restart);
    expect(restarted.report.outcome, restarted.log).toBe('deployed');
    expect(restarted.log).toContain('✓ gate backup-age: app: the last backup is');
    expect((await project.inspect('app')).State.StartedAt).not.toBe(before);
  });
});
