import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { INPUTS } from '../../src/action/input-table.js';
import { PROCEDURES } from '../../src/model/request.js';
import { ALL_PROCEDURES } from '../../src/procedures/index.js';
import type { RunReport } from '../../src/model/report.js';
import { liveOf } from '../support/live.js';
import { makeProject, type Project } from '../support/project.js';
import { makeJob, type Job } from '../support/runner.js';
import { served } from '../support/served.js';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

describe('the shell program as a file', () => {
  const help = (program: string, cwd: string) =>
    promisify(execFile)(program, ['--help'], { cwd, env: { ...process.env, HOME: cwd } });

  it('is what package.json names, starts from anywhere, and is the bundle beside it', async () => {
    const { bin } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { readonly bin: object };
    expect(bin).toEqual({ 'rolling-restart': 'dist/cli.js' });
    const elsewhere = await mkdtemp(join(tmpdir(), 'rr-bin-'));
    try {
      await symlink(CLI, join(elsewhere, 'rolling-restart'));
      // As npm and people link it: an executable file, by its first line.
      const { stdout } = await help(join(elsewhere, 'rolling-restart'), elsewhere);
      expect(stdout).toMatch(/^Usage: rolling-restart /);
      for (const procedure of PROCEDURES) expect(stdout).toMatch(new RegExp(`^ {2}${procedure} `, 'm'));
      // Node 20 takes that option for its own, wherever it stands, and ends when there is no such file.
      const asked = ['status', '--env-file', 'nowhere.env', '--working-directory', elsewhere];
      const run = promisify(execFile)(join(elsewhere, 'rolling-restart'), asked, { cwd: elsewhere });
      const failed = await run.then(
        () => undefined,
        (error: unknown) => error as { code: number; stderr: string },
      );
      expect(failed?.code).toBe(1);
      expect(failed?.stderr).not.toContain('node: ');
    } finally {
      await rm(elsewhere, { recursive: true });
    }
  });

  it('is started by node as well', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [CLI, '--help']);
    expect(stdout).toMatch(/^Usage: rolling-restart /);
  });
});

/** The action and the shell as people have them, both compiled: one lock, one ledger, one journal. */
describe('the bundle and the shell', () => {
  let project: Project;
  let job: Job;
  const inputs = (): Record<string, string> => ({
    service: 'app',
    'working-directory': project.dir,
    'project-name': project.name,
    'min-free-disk': '10MB',
    watch: '0s',
  });

  const runner = (procedure: string, commit: string, stateDir: string) =>
    job.run({
      inputs: { ...inputs(), procedure, 'state-dir': join(project.root, stateDir) },
      environment: { GITHUB_SHA: commit },
    });

  /** @returns what `--json` printed, and the exit code */
  async function shell(
    procedure: string,
    options: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly exitCode: number; readonly value: unknown; readonly log: string }> {
    const { exitCode, stdout, stderr } = await new Promise<{ exitCode: number; stdout: string; stderr: string }>(
      (resolve) => {
        const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
        const child = execFile(process.execPath, [CLI, procedure, ...words, '--json'], (_error, out, err) =>
          resolve({ exitCode: child.exitCode ?? -1, stdout: out, stderr: err }),
        );
      },
    );
    return { exitCode, value: stdout === '' ? undefined : JSON.parse(stdout), log: stderr };
  }

  const change = async (procedure: string, more: Readonly<Record<string, string>> = {}) => {
    const state = { 'state-dir': join(project.root, 'of-the-shell') };
    const { exitCode, value, log } = await shell(procedure, { ...inputs(), ...state, ...more });
    expect(exitCode, log).toBe(0);
    return value as RunReport;
  };

  beforeAll(async () => {
    [project, job] = await Promise.all([
      makeProject({ fixture: 'plain', files: { 'compose.yaml': served() } }),
      makeJob(),
    ]);
  });

  afterAll(async () => {
    await Promise.all([project.cleanup(), job.remove()]);
  });

  it('a release deployed by the action is rolled back from the shell, and one from the shell by the action', async () => {
    const first = await runner('code-update', project.firstCommit, 'of-the-runner');
    expect(first.exitCode, first.log).toBe(0);
    const v1 = await liveOf(project, 'app');
    const commit = await project.commitRelease({ version: '2.0.0' });
    const second = await runner('code-update', commit, 'of-the-runner');
    expect(second.exitCode, second.log).toBe(0);
    expect((await project.get('/')).text).toMatch(/^2\.0\.0/);

    const back = await change('rollback');
    expect(back).toMatchObject({
      outcome: 'deployed',
      services: [{ release: first.outputs['release'], previousRelease: second.outputs['release'] }],
    });
    expect(await liveOf(project, 'app')).toMatchObject({ image: v1.image, commit: v1.commit, release: v1.release });
    expect((await project.get('/')).text).toMatch(/^1\.0\.0/);

    const third = await project.commitRelease({ version: '3.0.0' });
    const shellDeploy = await change('code-update', { ref: third });
    expect(shellDeploy.outcome).toBe('deployed');
    expect((await project.get('/')).text).toMatch(/^3\.0\.0/);

    const undone = await runner('rollback', third, 'of-another-runner');
    expect(undone.exitCode, undone.log).toBe(0);
    expect(undone.outputs).toMatchObject({
      outcome: 'deployed',
      release: first.outputs['release'],
      'previous-release': shellDeploy.services[0]?.release,
    });
    expect(await liveOf(project, 'app')).toMatchObject({ image: v1.image, commit: v1.commit, release: v1.release });

    const where = { 'working-directory': project.dir, 'project-name': project.name };
    const { value } = await shell('history', { ...where, service: 'app' });
    const { changes } = value as { readonly changes: readonly { readonly what: string; readonly by: string }[] };
    expect(changes.map(({ what, by }) => [what, / at shell$/.test(by) ? 'shell' : 'action'])).toEqual([
      ['rollback', 'action'],
      ['code-update', 'shell'],
      ['rollback', 'shell'],
      ['code-update', 'action'],
      ['code-update', 'action'],
    ]);
  });

  it.each(PROCEDURES)('%s --help has the inputs of that procedure and no others', async (procedure) => {
    const { exitCode, stdout, stderr } = await new Promise<{ exitCode: number; stdout: string; stderr: string }>(
      (resolve) => {
        const child = execFile(process.execPath, [CLI, procedure, '--help'], (_error, out, err) =>
          resolve({ exitCode: child.exitCode ?? -1, stdout: out, stderr: err }),
        );
      },
    );
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toContain(`Usage: rolling-restart ${procedure} [options]`);
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain(ALL_PROCEDURES[procedure].purpose);
    const options = [...stdout.matchAll(/^ {2}(?:-\w, )?--([a-z-]+)/gm)].map(([, name = '']) => name);
    const own = INPUTS.filter(
      ({ name, procedures }) => name !== 'procedure' && (procedures === 'all' || procedures.includes(procedure)),
    ).map(({ name }) => name as string);
    expect(options.sort()).toEqual([...own, 'json', 'verbose', 'help'].sort());
  });

  it('goes on to its end, and undoes what is bad, when whoever reads its words goes away', async () => {
    const before = (await project.get('/')).text.split(' ')[0];
    const commit = await project.commitRelease({ version: '8.9.0', chaos: 'crash-after:2s' });
    const state = { 'state-dir': join(project.root, 'of-the-shell') };
    const words = Object.entries({ ...inputs(), ...state, ref: commit, watch: '20s' }).flatMap(([name, value]) => [
      `--${name}`,
      value,
    ]);
    const child = spawn(process.execPath, [CLI, 'code-update', ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
    const said = new Promise<void>((resolve, reject) => {
      child.stdout.setEncoding('utf8').on('data', (part: string) => {
        if (part.includes('✓ replace')) resolve();
      });
      child.once('close', () => reject(new Error('it ended before it had replaced anything')));
    });
    await said;
    child.stdout.destroy();
    child.stderr.destroy();
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
    expect([code, signal]).toEqual([1, null]);
    expect((await project.get('/')).text.split(' ')[0]).toBe(before);
    const { value } = await shell('code-update', { ...inputs(), ...state, ref: commit, 'lock-timeout': '0s' });
    const next = value as RunReport;
    expect(next.error?.code).toBe('E_BAD_RELEASE');
    expect(next.timeline.map(({ text }) => text).join('\n')).not.toMatch(/killed|repair/);
  });

  it.each(['SIGINT', 'SIGHUP'] as const)(
    'ends on %s in a watch as cancelled, with exit code 1, and leaves nothing behind',
    async (name) => {
      const version = name === 'SIGINT' ? '9.0.0' : '9.1.0';
      const commit = await project.commitRelease({ version });
      const state = { 'state-dir': join(project.root, 'of-the-shell') };
      const all = { ...inputs(), ...state, ref: commit, watch: '90s' };
      const words = Object.entries(all).flatMap(([name, value]) => [`--${name}`, value]);
      const child = spawn(process.execPath, [CLI, 'code-update', ...words, '--json'], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let [out, log] = ['', ''];
      child.stdout.setEncoding('utf8').on('data', (part: string) => (out += part));
      await new Promise<void>((resolve, reject) => {
        child.stderr.setEncoding('utf8').on('data', (part: string) => {
          log += part;
          if (log.includes('is live and verified')) resolve();
        });
        child.once('close', () => reject(new Error(`it ended before its watch:\n${log}`)));
      });
      const live = await project.containerId('app');
      const began = Date.now();
      child.kill(name);
      const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
      expect([code, signal], log).toEqual([1, null]);
      expect(Date.now() - began).toBeLessThan(20_000);
      const report = JSON.parse(out) as RunReport;
      expect(report).toMatchObject({ outcome: 'cancelled', changed: true, error: { code: 'E_CANCELLED' } });
      expect(report.error?.message).toContain(name);
      // The release was verified: it stays. Lock, journal, worktree and children are gone.
      expect(await project.containerId('app')).toBe(live);
      expect((await project.get('/')).text.startsWith(version)).toBe(true);
      expect((await project.git('worktree', 'list')).split('\n')).toHaveLength(1);
      expect(processesOf(report.invocation.runId)).toEqual([]);
      const next = await change('code-update', { ref: commit, 'lock-timeout': '0s' });
      expect(next.outcome).toBe('unchanged');
      expect(next.timeline.map(({ text }) => text).join('\n')).not.toMatch(/killed|repair/);
    },
  );
});

/** Processes on this host that have the run in their environment. */
function processesOf(run: string): readonly string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`ROLLING_RESTART_RUN=${run}`);
    } catch {
      return false;
    }
  });
}
