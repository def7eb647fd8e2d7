import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDoor } from '../support/doors.js';
import { docker, testEngine } from '../support/engine-containers.js';
import { historyOf, liveOf } from '../support/live.js';
import { carryOut } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';
import { typeInShell } from '../support/shell.js';

let project: Project;
let first = '';
let second = '';

/** Everything on the engine that carries the label of ours, or a name of ours, for the project. */
async function traces(): Promise<readonly string[]> {
  const label = `label=rolling-restart.project=${project.name}`;
  const lists = await Promise.all([
    docker('ps', '-a', '--filter', label, '--format', '{{.Names}}'),
    docker('volume', 'ls', '--filter', label, '--format', '{{.Name}}'),
    docker('images', '--format', '{{.Repository}}:{{.Tag}}', `rolling-restart/${project.name}-app`),
    docker('images', '--format', '{{.Repository}}:{{.Tag}}', `${project.name}-app:previous`),
  ]);
  return lists.flatMap((text) => text.split('\n').filter((line) => line !== ''));
}

const volumes = async (): Promise<readonly string[]> => (await traces()).filter((name) => name.includes('.lock.'));
/** Without the lock, which each run has of its own. */
const kept = async (): Promise<readonly string[]> => (await traces()).filter((name) => !name.includes('.lock.'));
const kinds = async (): Promise<readonly string[]> => {
  const { value } = await typeInShell(project, 'status');
  const [service] = value['services'] as readonly { readonly drift: readonly { readonly kind: string }[] }[];
  return service?.drift.map(({ kind }) => kind) ?? [];
};

beforeAll(async () => {
  project = await makeProject({
    fixture: 'plain',
    files: { 'compose.yaml': served({ environment: { LEVEL: 'info' } }) },
  });
  for (const version of ['1.0.0', '2.0.0']) {
    if (version !== '1.0.0') await project.commitRelease({ version });
    const { report, log } = await carryOut(project, { procedure: 'code-update', service: 'app' });
    expect(report.outcome, log).toBe('deployed');
    [first, second] = [second, report.services[0]?.release ?? ''];
  }
});

afterAll(async () => {
  await project.cleanup();
});

describe('status', () => {
  it('says what is live, since when, what there is to go back to, and that nothing was changed; and changes nothing', async () => {
    const before = await traces();
    const live = await liveOf(project, 'app');
    const { value, headline, text } = await typeInShell(project, 'status');
    expect(headline).toBe(`${project.name}: everything is as it was deployed`);
    expect(value).toMatchObject({
      lock: null,
      services: [
        {
          service: 'app',
          release: second,
          by: 'tester at shell',
          commit: live.commit,
          containers: [{ id: live.container, state: 'running' }],
          goBackTo: [{ release: first, image: 'there', bad: false }],
          drift: [],
        },
      ],
    });
    const since = (await historyOf(project, 'app')).events.findLast(({ kind }) => kind === 'live')?.at;
    expect(value['services']).toMatchObject([{ since }]);
    expect(text).toContain(first);
    expect(await traces()).toEqual(before);
  });

  it('sees what somebody changed by hand, on the engine and in the files', async () => {
    const container = await project.containerId('app');
    await docker('update', '--restart', 'no', container);
    expect(await kinds()).toEqual(['restart-policy']);
    await docker('update', '--restart', 'unless-stopped', container);

    await docker('pause', container);
    expect(await kinds()).toEqual(['state']);
    await docker('unpause', container);

    const file = join(project.dir, 'compose.yaml');
    await writeFile(file, served({ environment: { LEVEL: 'debug' } }));
    expect(await kinds()).toEqual(['files']);
    await project.compose(['up', '-d', 'app']);
    await project.waitUntilHealthy('app');
    const edited = await typeInShell(project, 'status');
    expect(edited.text).toMatch(/has another configuration than release \S+: environment LEVEL/);
    expect(edited.text).toContain('tracked files were modified: compose.yaml');
    expect(edited.text).not.toContain('debug');

    await project.git('checkout', '--', 'compose.yaml');
    await project.compose(['up', '-d', 'app']);
    await project.waitUntilHealthy('app');
    expect(await kinds()).toEqual([]);
  });

  it('does without a compose file when the project is named', async () => {
    const [file, away] = [join(project.dir, 'compose.yaml'), join(project.root, 'compose.away')];
    await rename(file, away);
    try {
      const { value } = await typeInShell(project, 'status');
      expect(value).toMatchObject({ services: [{ service: 'app', release: second, drift: [] }] });
    } finally {
      await rename(away, file);
    }
  });
});

describe('history', () => {
  it('is the last changes, newest first, with who, outcome and time', async () => {
    const { value } = await typeInShell(project, 'history', '--limit', '1');
    const [newest] = value['changes'] as readonly { readonly timeMs: number }[];
    expect(value).toMatchObject({
      older: 1,
      changes: [{ service: 'app', what: 'code-update', outcome: 'deployed', release: second, by: 'tester at shell' }],
    });
    expect(newest?.timeMs).toBeGreaterThan(0);
  });
});

describe('the lock', () => {
  it('is shown; its holder is asked to end and keeps what is verified', async () => {
    await project.commitRelease({ version: '3.0.0' });
    const door = openDoor(project, 'main', { procedure: 'code-update', service: 'app', watch: '60s' });
    await door.said('is live and verified');
    const { value } = await typeInShell(project, 'status');
    expect(value['lock']).toMatchObject({ procedure: 'code-update', pid: door.process.pid, alive: true });
    await expect(typeInShell(project, 'unlock')).rejects.toMatchObject({ code: 'E_LOCKED' });

    const cancelled = await typeInShell(project, 'cancel', '--reason', 'wrong day');
    expect(cancelled.green, cancelled.text).toBe(true);
    expect(await door.ended).toBe(1);
    expect(door.output()).toContain('person at shell cancels it: wrong day');
    expect((await project.get('/')).text).toMatch(/^3\.0\.0/);
    expect((await typeInShell(project, 'status')).value['lock']).toBeNull();
    expect((await typeInShell(project, 'cancel')).headline).toMatch(/nobody holds the lock/);
  });

  it('is freed of a run that was killed, which recover then finishes', async () => {
    await project.commitRelease({ version: '4.0.0' });
    const door = openDoor(project, 'main', { procedure: 'code-update', service: 'app', watch: '60s' });
    await door.said('is live and verified');
    await door.kill();
    expect((await typeInShell(project, 'status')).value['lock']).toMatchObject({ alive: false });
    expect((await typeInShell(project, 'unlock')).headline).toMatch(/was taken from code-update/);
    expect((await typeInShell(project, 'status')).value['lock']).toBeNull();
    const { headline, green } = await typeInShell(project, 'recover');
    expect(green, headline).toBe(true);
    expect(headline).toMatch(/was verified and stays/);
    expect(await kinds()).toEqual([]);
  });
});

describe('uninstall', () => {
  it('says who has the lock while something is under way, and removes nothing', async () => {
    const before = await kept();
    const cancel = new AbortController();
    let watching: () => void = () => undefined;
    const watched = new Promise<void>((resolve) => (watching = resolve));
    const running = carryOut(
      project,
      { procedure: 'health-restart', service: 'app', watch: '60s' },
      { onLine: (line) => (line.includes('✓ verify') ? watching() : undefined), cancelled: cancel.signal },
    );
    try {
      await watched;
      await expect(typeInShell(project, 'uninstall', '--yes', '--lock-timeout', '1s')).rejects.toMatchObject({
        code: 'E_LOCKED',
        message: expect.stringMatching(/The lock of project .* is held by health-restart/) as string,
        next: expect.stringMatching(/Nothing was removed\.$/) as string,
      });
    } finally {
      cancel.abort();
      await running;
    }
    expect(await kept()).toEqual(before);
  });

  it('shows its plan, then takes every trace of ours away and leaves the service running', async () => {
    const live = await liveOf(project, 'app');
    const before = await traces();
    expect(before).toContain(`rolling-restart.${project.name}.records`);
    expect(await volumes()).not.toEqual([]);
    const plan = await typeInShell(project, 'uninstall');
    expect(plan.value['removed']).toBe(false);
    for (const name of before) expect(plan.text).toContain(name);
    expect(await traces()).toEqual(before);

    const done = await typeInShell(project, 'uninstall', '--yes');
    expect(done.value, done.text).toMatchObject({ removed: true, stay: [] });
    expect(await traces()).toEqual([]);
    const { traces: finder } = await testEngine();
    expect(await finder.of(project.name)).toEqual([]);
    expect(await project.containerId('app')).toBe(live.container);
    expect((await project.get('/')).status).toBe(200);
    expect((await typeInShell(project, 'uninstall', '--yes')).headline).toMatch(/nothing of Rolling Restart/);

    // As on the first day: what runs is taken into a new ledger.
    const again = await carryOut(project, { procedure: 'health-restart', service: 'app' });
    expect(again.report.outcome, again.log).toBe('deployed');
  });
});
