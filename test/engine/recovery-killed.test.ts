import { mkdir, readdir, readFile } from 'node:fs/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { createClock } from '../../src/host/clock.js';
import { createLocks } from '../../src/ledger/locks.js';
import { createRecords } from '../../src/ledger/records.js';
import { openDoor, type DoorRun } from '../support/doors.js';
import { docker, testEngine } from '../support/engine-containers.js';
import { carryOut } from '../support/procedure.js';
import { makeProject, type Project, type Release } from '../support/project.js';
import { served } from '../support/served.js';

let project: Project;
let door: DoorRun | undefined;

afterEach(async () => {
  await door?.kill();
  door = undefined;
  await project.cleanup();
});

/** A project with version 1.0.0 live, and 2.0.0 pushed. */
async function begun(next: Release, inputs: Readonly<Record<string, string>> = {}): Promise<DoorRun> {
  project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': served() } });
  const first = await carryOut(project, { procedure: 'code-update', service: 'app' });
  expect(first.report.outcome, first.log).toBe('deployed');
  await project.commitRelease(next);
  door = openDoor(project, 'main', { procedure: 'code-update', service: 'app', watch: '30s', ...inputs });
  return door;
}

const version = async (): Promise<string> => (await project.get('/')).text.split(' ')[0] ?? '';

/** The lock is free, no worktree is left, checkout and tag are those of the version that serves. */
async function expectWhole(expected: '1.0.0' | '2.0.0'): Promise<void> {
  await project.waitUntilHealthy('app');
  expect(await version()).toBe(expected);
  const commit = expected === '1.0.0' ? project.firstCommit : await project.git('rev-parse', 'origin/main');
  expect(await project.git('rev-parse', 'HEAD')).toBe(commit);
  expect(await project.git('status', '--porcelain')).toBe('');
  expect((await project.git('worktree', 'list')).split('\n')).toHaveLength(1);
  const { Image } = await project.inspect('app');
  expect(await docker('image', 'inspect', '--format', '{{.Id}}', `${project.name}-app`)).toBe(Image);
  const { records: api } = await testEngine();
  const locks = createLocks({
    api,
    project: project.name,
    records: createRecords(api, project.name),
    clock: createClock(),
  });
  expect(await locks.holder()).toBeUndefined();
  const rendered = await readdir(`${project.root}/state/rendered`).catch(() => []);
  expect(rendered.filter((name) => name.startsWith(project.name))).toEqual([]);
  // And plain Compose agrees with what runs.
  const before = await project.containerId('app');
  await project.compose(['up', '-d', '--no-build']);
  expect(await project.containerId('app')).toBe(before);
}

async function post(killed: DoorRun): Promise<DoorRun> {
  const state = killed.state();
  expect(state['run']).toBeTruthy();
  expect(state['ended']).toBeUndefined();
  const repair = openDoor(project, 'post', { procedure: 'code-update', service: 'app', watch: '30s' }, state);
  await repair.ended;
  return repair;
}

describe('a run that is killed, and the post of the action after it', () => {
  it('while building: nothing was touched, and the build is ended', async () => {
    const main = await begun({ version: '2.0.0' }, { 'build-command': 'echo building; sleep 60' });
    await main.said(/building$/m);
    const before = await project.containerId('app');
    await main.kill();
    const repair = await post(main);
    expect(repair.process.exitCode, repair.output()).toBe(0);
    expect(await project.containerId('app')).toBe(before);
    await expectWhole('1.0.0');
    expect(await processes('sleep 60')).toEqual([]);
  });

  it('as the replacement begins: the release before is back', async () => {
    const main = await begun({ version: '2.0.0', chaos: 'slow-boot:3s' });
    await main.said(/✓ tag /);
    await main.kill();
    const repair = await post(main);
    expect(repair.process.exitCode, repair.output()).toBe(0);
    await expectWhole('1.0.0');
  });

  it('while the new one is not ready: the release before is back, and the same may be deployed again', async () => {
    const main = await begun({ version: '2.0.0', chaos: 'slow-boot:3s' });
    await main.said(/✓ replace /);
    await main.kill();
    const repair = await post(main);
    expect(repair.process.exitCode, repair.output()).toBe(0);
    expect(repair.output()).toContain('is back');
    await expectWhole('1.0.0');
    const again = await carryOut(project, { procedure: 'code-update', service: 'app' });
    expect(again.report.outcome, again.log).toBe('deployed');
    await expectWhole('2.0.0');
  });

  it('in its watch: the verified release stays', async () => {
    const main = await begun({ version: '2.0.0' });
    await main.said('is live and verified');
    const live = await project.containerId('app');
    await main.kill();
    const repair = await post(main);
    expect(repair.process.exitCode, repair.output()).toBe(0);
    expect(await project.containerId('app')).toBe(live);
    await expectWhole('2.0.0');
    const again = await carryOut(project, { procedure: 'code-update', service: 'app' });
    expect(again.report.outcome, again.log).toBe('unchanged');
    const back = await carryOut(project, { procedure: 'rollback', service: 'app' });
    expect(back.report.outcome, back.log).toBe('deployed');
    await expectWhole('1.0.0');
  });

  it('in its watch, and the release became unhealthy before anyone looked: the one before is back', async () => {
    const main = await begun({ version: '2.0.0', chaos: 'unhealthy-after:2s' });
    await main.said('is live and verified');
    await main.kill();
    const endsAt = Date.now() + 20_000;
    while ((await project.inspect('app')).State.Health?.Status !== 'unhealthy' && Date.now() < endsAt) await pause(200);
    const repair = await post(main);
    expect(repair.process.exitCode, repair.output()).toBe(0);
    await expectWhole('1.0.0');
  });

  it('while going back: it gets back all the same, and the wrong one is bad', async () => {
    const main = await begun({ version: '2.0.0', chaos: 'exit-at-once' });
    await main.said('going back to release');
    await main.said(/\n *✓ tag [^\n]*\n[^]*✓ tag /);
    await main.kill();
    const repair = await post(main);
    expect(repair.process.exitCode, repair.output()).toBe(0);
    await expectWhole('1.0.0');
    const again = await carryOut(project, { procedure: 'code-update', service: 'app' });
    expect(again.report.error?.code, again.log).toBe('E_BAD_RELEASE');
  });
});

describe('a run that is killed, and the next run after it', () => {
  it('goes back first, and undoes its own failure to where all began', async () => {
    const main = await begun({ version: '2.0.0', chaos: 'slow-boot:3s' });
    await main.said(/✓ replace /);
    await main.kill();
    // The next run has another state directory, as another user or runner would.
    const next = await carryOut(
      project,
      {
        procedure: 'code-update',
        service: 'app',
        'smoke-test': `wget -q -O - http://127.0.0.1:${project.port}/ | grep -q ^1`,
      },
      { stateDir: await otherState() },
    );
    // First the killed run's 2.0.0 is undone, then this run's own 2.0.0, which fails the smoke test.
    expect(next.report.outcome, next.log).toBe('rolled-back');
    expect(next.log).toContain('recovered');
    await expectWhole('1.0.0');
  });

  it('finishes a recovery that was killed itself', async () => {
    const main = await begun({ version: '2.0.0', chaos: 'slow-boot:3s' });
    await main.said(/✓ replace /);
    await main.kill();
    const repair = openDoor(project, 'post', { procedure: 'code-update', service: 'app' }, main.state());
    await repair.said(/✓ tag /);
    await repair.kill();
    const next = await carryOut(project, { procedure: 'health-restart', service: 'app' });
    expect(next.report.outcome, next.log).toBe('deployed');
    await expectWhole('1.0.0');
  });

  it('starts the service again that an emergency had killed and removed', async () => {
    await (
      await begun({ version: '2.0.0' }, { watch: '0s' })
    ).ended;
    door = openDoor(project, 'main', { procedure: 'emergency', service: 'app' });
    await door.said(/✓ remove /);
    await door.kill();
    const next = await carryOut(project, { procedure: 'code-update', service: 'app' });
    expect(next.report.outcome, next.log).toBe('unchanged');
    await expectWhole('2.0.0');
  });
});

async function otherState(): Promise<string> {
  const folder = `${project.root}/other-state`;
  await mkdir(folder);
  return folder;
}

async function processes(command: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const line = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ').trim();
    const directory = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    if (line === command && directory.includes(project.name)) found.push(pid);
  }
  return found;
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
