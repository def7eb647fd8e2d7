import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { generationName } from '../../src/ledger/names.js';
import { FAST_LEASE, ledgerProject, type LedgerProject } from '../support/ledger-project.js';
import { lockRequest } from '../support/lock-requests.js';

let project: LedgerProject;
beforeEach(() => {
  project = ledgerProject();
});
afterEach(() => project.remove());

const emergency = (yieldMs: number) => ({ procedure: 'emergency', interrupt: true, yieldMs, timeoutMs: 0 });

describe('a run that interrupts', () => {
  it('asks the holder, and gets the lock as soon as it is released', async () => {
    const child = project.child('deploy');
    await child.heard();
    const acquiring = project.locks().acquire(lockRequest('urgent', emergency(30_000)));
    const asked = (await child.heard()) as { asked: string };
    expect(asked.asked).toContain('emergency of octocat via push (run urgent');
    await child.tell('release');
    const lock = await acquiring;
    expect(lock.abandoned).toEqual([]);
    await lock.check();
    await lock.release();
    expect((await project.volumes()).filter((name) => name.includes('yield'))).toEqual([]);
  });

  it('fences a holder that does not yield in time, and recovers its run', async () => {
    const child = project.child('deploy');
    await child.heard();
    const startedAt = performance.now();
    const lock = await project.locks().acquire(lockRequest('urgent', emergency(1_000)));
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(1_000);
    expect(lock.abandoned).toEqual(['deploy']);
    await lock.check();
    await child.heard();
    expect(await child.tell('check')).toEqual({ failed: 'check', code: 'E_FENCED' });
    // A late release of the fenced one takes nothing from the new holder.
    expect(await child.tell('release')).toEqual({ done: 'release' });
    await lock.check();
    expect(await project.locks().holder()).toMatchObject({ run: 'urgent', procedure: 'emergency' });
  });
});

describe('a lock that is taken away', () => {
  it('by a person: the holder stops before its next effect, and the next run recovers it', async () => {
    const lost = await project.locks({ timing: FAST_LEASE }).acquire(lockRequest('deploy'));
    expect(await project.locks().breakLock()).toMatchObject({ run: 'deploy', actor: 'octocat via push' });
    expect(await project.locks().holder()).toBeUndefined();
    await expect(lost.check()).rejects.toMatchObject({ code: 'E_FENCED' });
    await expect.poll(() => lost.yieldRequested.aborted).toBe(true);
    await lost.release();
    const next = await project.locks().acquire(lockRequest('next'));
    expect(next.abandoned).toEqual(['deploy']);
    await next.check();
    expect(next.generation).toBe(lost.generation + 2);
    await next.release();
    await next.release();
    expect(await project.locks().breakLock()).toBeUndefined();
  });

  it('by `docker volume prune --all`: the holder notices, also when the numbers begin again', async () => {
    const lost = await project.locks().acquire(lockRequest('deploy'));
    await project.api.removeVolume(generationName(project.name, lost.generation));
    await expect(lost.check()).rejects.toMatchObject({ code: 'E_FENCED' });
    const next = await project.locks().acquire(lockRequest('next'));
    expect(next.generation).toBe(lost.generation);
    await expect(lost.check()).rejects.toMatchObject({
      code: 'E_FENCED',
      message: expect.stringContaining('next') as string,
    });
    await lost.release();
    await next.check();
    await next.release();
  });
});

describe('waiting', () => {
  it('ends when the run is cancelled', async () => {
    const held = await project.locks().acquire(lockRequest('holder'));
    const cancel = new AbortController();
    const waiting = project
      .locks()
      .acquire(lockRequest('waiting', { timeoutMs: 60_000, signal: cancel.signal, onWaiting: () => cancel.abort() }));
    await expect(waiting).rejects.toMatchObject({ code: 'E_CANCELLED' });
    await held.check();
    await held.release();
  });
});
