import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DockerEngine } from '../../src/engine/engine.js';
import { killVariables, openShell, wasKilled } from '../support/doors.js';
import { docker, testEngine } from '../support/engine-containers.js';
import { deploy } from '../support/live.js';
import { carryOut } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';

const WITH_DATA = '    volumes:\n      - state:/data\nvolumes:\n  state:\n';

/** A service whose data is read is never left standing still, however the run ends. */
describe('the watchdog of a backup', () => {
  let project: Project;
  let engine: DockerEngine;
  let container = '';

  beforeAll(async () => {
    project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': served({ more: WITH_DATA }) } });
    await deploy(project, 'app');
    container = await project.containerId('app');
    engine = await testEngine();
  });
  afterAll(() => project.cleanup());

  const status = (): Promise<string> => docker('inspect', '--format', '{{.State.Status}}', container);
  const running = (timeout: number): Promise<void> => expect.poll(status, { timeout, interval: 50 }).toBe('running');
  const backup = (consistency: string): Record<string, string> => ({
    ...{ service: 'app', 'backup-dir': path.join(project.root, 'backups'), 'backup-consistency': consistency },
  });

  it.each([
    ['pause', 'after:begin:save-data', 3_000],
    ['stop', 'before:end:freeze-data', 5_000],
  ] as const)('%s, killed %s: it goes on, and the recovery finds it so', async (consistency, where, withinMs) => {
    const door = openShell(project, 'backup', backup(consistency), { environment: killVariables(where) });
    expect(await wasKilled(door), door.output()).toBe(true);
    await running(withinMs);
    await expect.poll(watchdogs, { timeout: 5_000 }).toEqual([]);
    const since = (await project.inspect('app')).State.StartedAt;
    const recovered = openShell(project, 'recover');
    expect(await recovered.ended, recovered.output()).toBe(0);
    expect(recovered.output()).toContain('it goes on; its data had been kept from changing');
    const { State } = await project.inspect('app');
    expect([State.Status, State.StartedAt]).toEqual(['running', since]);
  });

  it('is gone when the backup is done: what a person pauses afterwards stays paused', async () => {
    const { report, log } = await carryOut(project, { procedure: 'backup', ...backup('pause') });
    expect(report.outcome, log).toBe('completed');
    expect(await watchdogs()).toEqual([]);
    await docker('pause', container);
    await sleep(1_000);
    expect(await status()).toBe('paused');
    await docker('unpause', container);
  });

  it('lets go at the limit, has a session of its own, and nothing of the runner', async () => {
    process.env['RUNNER_TRACKING_ID'] = 'github_1';
    const guard = await engine.data.guard({ how: 'pause', containers: [container], limitMs: 2_000 });
    delete process.env['RUNNER_TRACKING_ID'];
    await docker('pause', container);
    await expect.poll(watchdogs).toHaveLength(1);
    const [pid = 0] = await watchdogs();
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8');
    expect(environment.split('\0').filter((entry) => entry !== '')).toEqual([
      expect.stringMatching(/^ROLLING_RESTART_RUN=/),
    ]);
    // proc_pid_stat(5): the 6th field is the session.
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    expect(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3]).toBe(String(pid));
    await running(5_000);
    await guard.end();
  });

  it('leaves what somebody else has started and stopped since', async () => {
    const guard = await engine.data.guard({ how: 'stop', containers: [container], limitMs: 1_000 });
    await docker('restart', '--time', '0', container);
    await docker('stop', '--time', '0', container);
    await expect.poll(watchdogs, { timeout: 5_000 }).toEqual([]);
    expect(await status()).toBe('exited');
    await guard.end();
    await docker('start', container);
  });

  it('a backup whose service went on meanwhile is none', async () => {
    const unpausing = (async () => {
      await expect.poll(status, { timeout: 20_000, interval: 5 }).toBe('paused');
      await docker('unpause', container);
    })();
    await docker('exec', container, 'sh', '-c', 'head -c 60000000 /dev/urandom > /data/noise');
    const { report, log } = await carryOut(project, { procedure: 'backup', ...backup('pause') });
    await unpausing;
    expect([report.outcome, report.error?.code], log).toEqual(['failed', 'E_BACKUP']);
    expect(report.error?.message).toBe('app went on while its data was read: this backup may hold half a change');
    expect(await status()).toBe('running');
  });

  /** Process ids. */
  async function watchdogs(): Promise<readonly number[]> {
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
    const found = await Promise.all(
      pids.map(async (pid) => {
        const title = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
        return title.startsWith(`rolling-restart watchdog of ${container.slice(0, 12)}`) ? [Number(pid)] : [];
      }),
    );
    return found.flat();
  }
});
