import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { carryOut, type Carried } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';

let project: Project;

afterEach(async () => {
  await project.cleanup();
});

const version = async (): Promise<string> => (await project.get('/')).text.split(' ')[0] ?? '';

async function withReleases(...versions: readonly string[]): Promise<readonly string[]> {
  project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': served() } });
  const releases: string[] = [];
  for (const one of versions) {
    if (one !== '1.0.0') await project.commitRelease({ version: one });
    const { report, log } = await carryOut(project, { procedure: 'code-update', service: 'app' });
    expect(report.outcome, log).toBe('deployed');
    releases.push(report.services[0]?.release ?? '');
  }
  return releases;
}

/** Starts a procedure; `said` resolves when its log has the text. */
function started(
  inputs: Readonly<Record<string, string>>,
  text: string,
  cancelled?: AbortSignal,
): { readonly run: Promise<Carried>; readonly said: Promise<void> } {
  let tell: () => void = () => undefined;
  const said = new Promise<void>((resolve) => (tell = resolve));
  const run = carryOut(project, inputs, {
    onLine: (line) => (line.includes(text) ? tell() : undefined),
    ...(cancelled === undefined ? {} : { cancelled }),
  });
  return { run, said: Promise.race([said, run.then(({ log }) => Promise.reject(new Error(log)))]) };
}

describe('two procedures on one project', () => {
  it('one after the other; the one that may not wait is told who has the lock', async () => {
    await withReleases('1.0.0');
    await project.commitRelease({ version: '2.0.0' });
    const first = started({ procedure: 'code-update', service: 'app', watch: '4s' }, 'is live and verified');
    await first.said;
    const live = await project.containerId('app');
    const [refused, waited] = await Promise.all([
      carryOut(project, { procedure: 'code-update', service: 'app', 'lock-timeout': '0s' }),
      carryOut(project, { procedure: 'code-update', service: 'app', 'lock-timeout': '60s' }),
    ]);
    expect(refused.report.outcome, refused.log).toBe('refused');
    expect(refused.report.error?.code).toBe('E_LOCKED');
    expect(refused.report.error?.message).toMatch(/code-update of tester at shell/);
    expect(waited.report.outcome, waited.log).toBe('unchanged');
    expect(waited.log).toContain('waiting for code-update');
    const { report, log } = await first.run;
    expect(report.outcome, log).toBe('deployed');
    expect(await project.containerId('app')).toBe(live);
  });

  it('a run that waited sees the checkout as it lies then', async () => {
    await withReleases('1.0.0');
    const second = await project.commitRelease({ version: '2.0.0' });
    const first = started({ procedure: 'code-update', service: 'app', watch: '3s' }, '✓ build');
    await first.said;
    // It looks at the project while version 1 is checked out, and gets the lock when version 2 is.
    const waiting = carryOut(project, {
      procedure: 'code-update',
      service: 'app',
      'smoke-test': `wget -q -O - http://127.0.0.1:${project.port}/ | grep -q ^2`,
      ref: project.firstCommit,
    });
    expect((await first.run).report.outcome).toBe('deployed');
    const { report, log } = await waiting;
    expect(report.outcome, log).toBe('rolled-back');
    expect(await version()).toBe('2.0.0');
    expect(await project.git('rev-parse', 'HEAD')).toBe(second);
  });

  it('rollback interrupts an update in its watch: that release stayed live, and is what is gone back from', async () => {
    const releases = await withReleases('1.0.0', '2.0.0');
    await project.commitRelease({ version: '3.0.0' });
    const update = started({ procedure: 'code-update', service: 'app', watch: '60s' }, 'is live and verified');
    await update.said;
    expect(await version()).toBe('3.0.0');
    const began = Date.now();
    const back = await carryOut(project, { procedure: 'rollback', service: 'app' });
    expect(back.report.outcome, back.log).toBe('deployed');
    expect(Date.now() - began).toBeLessThan(20_000);
    expect(await version()).toBe('2.0.0');
    expect(back.report.services[0]?.release).toBe(releases[1]);

    const { report, log } = await update.run;
    expect(report.outcome, log).toBe('cancelled');
    expect(report.error?.message).toMatch(/rollback of tester at shell/);
    expect(report.nextSteps.join('\n')).toMatch(/is live and verified.*rollback/);
    expect(back.report.services[0]?.previousRelease).toBe(report.services[0]?.release);
    const again = await carryOut(project, { procedure: 'code-update', service: 'app' });
    expect(again.report.error?.code, again.log).toBe('E_BAD_RELEASE');
  });

  it('rollback interrupts an update that is not ready: it is undone first, and one goes back from there', async () => {
    await withReleases('1.0.0', '2.0.0');
    await project.commitRelease({ version: '3.0.0', chaos: 'slow-boot:20s' });
    const update = started({ procedure: 'code-update', service: 'app' }, '✓ replace');
    await update.said;
    const back = await carryOut(project, { procedure: 'rollback', service: 'app' });
    expect(back.report.outcome, back.log).toBe('deployed');
    const { report, log } = await update.run;
    expect(report.outcome, log).toBe('cancelled');
    expect(report.changed).toBe(false);
    expect(await version()).toBe('1.0.0');
    expect(await project.git('rev-parse', 'HEAD')).toBe(project.firstCommit);
  });
});

describe('what does not wait behind a watch', () => {
  it.each([
    ['emergency', 'deployed'],
    ['stop', 'completed'],
  ])(
    '%s interrupts an update in its watch: that release stayed live, and is what it is about',
    async (procedure, outcome) => {
      await withReleases('1.0.0');
      await project.commitRelease({ version: '2.0.0' });
      const update = started({ procedure: 'code-update', service: 'app', watch: '90s' }, 'is live and verified');
      await update.said;
      const watched = await project.containerId('app');
      const began = Date.now();
      const urgent = await carryOut(project, { procedure, service: 'app' });
      expect(urgent.report.outcome, urgent.log).toBe(outcome);
      expect(Date.now() - began).toBeLessThan(30_000);

      const { report, log } = await update.run;
      expect(report, log).toMatchObject({ outcome: 'cancelled', changed: true });
      expect(report.error?.message).toContain(`${procedure} of tester at shell`);
      const { Id, State } = await project.inspect('app');
      expect([Id === watched, State.Running]).toEqual(procedure === 'stop' ? [true, false] : [false, true]);
      // Not the release of before: the one that was under watch had been verified.
      if (procedure === 'emergency') expect(await version()).toBe('2.0.0');
      const start = await carryOut(project, { procedure: 'start', service: 'app' });
      expect(start.report.outcome, start.log).toBe(procedure === 'stop' ? 'deployed' : 'unchanged');
      expect(await version()).toBe('2.0.0');
    },
  );
});

describe('a run that is cancelled', () => {
  it('before the replacement: nothing was changed', async () => {
    await withReleases('1.0.0');
    await project.commitRelease({ version: '2.0.0' });
    const before = await project.containerId('app');
    const cancel = new AbortController();
    const inputs = { procedure: 'code-update', service: 'app', 'build-command': 'echo at it; sleep 30' };
    const { run, said } = started(inputs, 'at it', cancel.signal);
    await said;
    cancel.abort();
    const { report, log } = await run;
    expect(report.outcome, log).toBe('cancelled');
    expect(report.changed).toBe(false);
    expect(await project.containerId('app')).toBe(before);
    expect(await project.git('rev-parse', 'HEAD')).toBe(project.firstCommit);
    expect((await project.git('worktree', 'list')).split('\n')).toHaveLength(1);
  });

  it('in the watch of a restart: it was restarted and verified, and there is nothing to go back to', async () => {
    await withReleases('1.0.0');
    const cancel = new AbortController();
    const { run, said } = started(
      { procedure: 'health-restart', service: 'app', watch: '60s' },
      '✓ verify',
      cancel.signal,
    );
    await said;
    await sleep(1_500);
    cancel.abort();
    const { report, log } = await run;
    expect(report.outcome, log).toBe('cancelled');
    expect(report.headline).toContain('was restarted and verified');
    expect(report.nextSteps.join('\n')).toMatch(/as before, started again and verified/);
    expect(report.nextSteps.join('\n')).not.toContain('rollback');
    expect(await version()).toBe('1.0.0');
  });

  it('before it is ready: the release before is back, and the same may be deployed again', async () => {
    await withReleases('1.0.0');
    await project.commitRelease({ version: '2.0.0', chaos: 'slow-boot:2s' });
    const cancel = new AbortController();
    const { run, said } = started({ procedure: 'code-update', service: 'app' }, '✓ replace', cancel.signal);
    await said;
    cancel.abort();
    const { report, log } = await run;
    expect(report.outcome, log).toBe('cancelled');
    expect(report.changed).toBe(false);
    await project.waitUntilHealthy('app');
    expect(await version()).toBe('1.0.0');
    expect(await project.git('rev-parse', 'HEAD')).toBe(project.firstCommit);
    const again = await carryOut(project, { procedure: 'code-update', service: 'app' });
    expect(again.report.outcome, again.log).toBe('deployed');
  });

  it('while it is verified: the release before is back', async () => {
    await withReleases('1.0.0');
    await project.commitRelease({ version: '2.0.0' });
    const cancel = new AbortController();
    const inputs = { procedure: 'code-update', service: 'app', 'test-command': 'echo testing; sleep 30' };
    const { run, said } = started(inputs, 'testing', cancel.signal);
    await said;
    cancel.abort();
    const { report, log } = await run;
    expect(report.outcome, log).toBe('cancelled');
    expect(await version()).toBe('1.0.0');
  });

  it('in its watch: the release stays live, and it says how to go back', async () => {
    const [first] = await withReleases('1.0.0');
    await project.commitRelease({ version: '2.0.0' });
    const cancel = new AbortController();
    const inputs = { procedure: 'code-update', service: 'app', watch: '60s' };
    const { run, said } = started(inputs, 'is live and verified', cancel.signal);
    await said;
    const live = await project.containerId('app');
    cancel.abort();
    const { report, log } = await run;
    expect(report.outcome, log).toBe('cancelled');
    expect(report.changed).toBe(true);
    expect(report.nextSteps.join('\n')).toMatch(/To go back: procedure rollback/);
    expect(await project.containerId('app')).toBe(live);
    const back = await carryOut(project, { procedure: 'rollback', service: 'app' });
    expect(back.report.services[0]?.release, back.log).toBe(first);
    expect(await version()).toBe('1.0.0');
  });
});

describe('the state directory', () => {
  it('may be lost: another one knows all that is needed to go back', async () => {
    await withReleases('1.0.0', '2.0.0');
    await rm(`${project.root}/state`, { recursive: true });
    const stateDir = `${project.root}/another/state`;
    const { report, log } = await carryOut(project, { procedure: 'rollback', service: 'app' }, { stateDir });
    expect(report.outcome, log).toBe('deployed');
    expect(await version()).toBe('1.0.0');
  });
});
