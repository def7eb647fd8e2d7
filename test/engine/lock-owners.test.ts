import { once } from 'node:events';
import { userInfo } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readIdentity } from '../../src/host/identity.js';
import { recordsName } from '../../src/ledger/names.js';
import { FAST_LEASE, ledgerProject, type LedgerProject } from '../support/ledger-project.js';
import { lockRequest } from '../support/lock-requests.js';

let project: LedgerProject;
beforeEach(() => {
  project = ledgerProject();
});
afterEach(() => project.remove());

const NEVER = { pollMs: [20, 50], watchMs: 100, leaseRenewMs: 1e9, leaseSilenceMs: 1_500 } as const;

describe('the owner of the lock', () => {
  it('is one of twenty that race for it; the others are told who', async () => {
    const clients = Array.from({ length: 20 }, () => project.locks());
    const results = await Promise.allSettled(
      clients.map((locks, index) => locks.acquire(lockRequest(`race-${index}`))),
    );
    const winners = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(winners).toHaveLength(1);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'E_LOCKED' });
    }
    await winners[0]?.check();
    await winners[0]?.release();
    expect(await project.volumes()).toEqual([`rolling-restart.${project.name}.lock.g2`, recordsName(project.name)]);
  });

  it('is one of five processes that race for it', async () => {
    const children = Array.from({ length: 5 }, (_, index) => project.child(`race-${index}`));
    const answers = await Promise.all(children.map((child) => child.heard()));
    expect(answers.filter((answer) => Object.hasOwn(answer, 'generation'))).toHaveLength(1);
    expect(answers.filter((answer) => Object.hasOwn(answer, 'code'))).toEqual(
      Array(4).fill({ failed: 'acquire', code: 'E_LOCKED' }),
    );
  });

  it('is waited for, one after the other, when there is time', async () => {
    let inside = 0;
    const order: number[] = [];
    const work = async (index: number): Promise<void> => {
      const lock = await project.locks().acquire(lockRequest(`turn-${index}`, { timeoutMs: 30_000 }));
      inside += 1;
      expect(inside).toBe(1);
      await lock.check();
      order.push(lock.generation);
      inside -= 1;
      await lock.release();
    };
    await Promise.all(Array.from({ length: 6 }, (_, index) => work(index)));
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(new Set(order).size).toBe(6);
  });

  it('that lives is shown to who cannot wait: procedure, actor, since, link, what to do', async () => {
    const child = project.child('1234-1');
    const { pid } = (await child.heard()) as { pid: number };
    const waiting: string[] = [];
    const attempt = project
      .locks()
      .acquire(lockRequest('other', { timeoutMs: 400, onWaiting: ({ run }) => void waiting.push(run) }));
    await expect(attempt).rejects.toMatchObject({
      code: 'E_LOCKED',
      next: expect.stringContaining('rollback and emergency') as string,
    });
    const message = await attempt.catch((error: unknown) => String(error));
    const year = new Date().getUTCFullYear();
    for (const part of [
      'code-update',
      'octocat via push',
      `since ${year}-`,
      `${pid}`,
      'https://github.com/acme/roma/actions/runs/1234-1',
    ]) {
      expect(message).toContain(part);
    }
    expect(waiting).toEqual(['1234-1']);
    expect(await project.locks().holder()).toMatchObject({ run: '1234-1', pid, alive: true, generation: 1 });
    expect(await child.tell('check')).toEqual({ done: 'check' });
    expect(await child.tell('release')).toEqual({ done: 'release' });
    expect(await project.locks().holder()).toBeUndefined();
  });

  it('that was killed loses the lock at once, and its run is handed on until one recovers it', async () => {
    const killed = async (run: string, abandoned: readonly string[]): Promise<void> => {
      const child = project.child(run);
      expect(await child.heard()).toMatchObject({ abandoned });
      const ended = once(child.process, 'exit');
      child.process.kill('SIGKILL');
      await ended;
    };
    await killed('first', []);
    expect(await project.locks().holder()).toMatchObject({ run: 'first', alive: false });
    await killed('second', ['first']);
    const lock = await project.locks().acquire(lockRequest('third'));
    expect(lock.abandoned).toEqual(['first', 'second']);
    await lock.check();
    await lock.release();
    const next = await project.locks().acquire(lockRequest('fourth'));
    expect(next.abandoned).toEqual([]);
    await next.release();
  });

  it('is stopped, not dead: its lock stays', async () => {
    const child = project.child('stopped');
    await child.heard();
    child.process.kill('SIGSTOP');
    await expect(
      project.locks({ timing: FAST_LEASE }).acquire(lockRequest('x', { timeoutMs: 2_000 })),
    ).rejects.toMatchObject({
      code: 'E_LOCKED',
    });
    child.process.kill('SIGCONT');
    expect(await child.tell('check')).toEqual({ done: 'check' });
  });
});

describe('an owner that cannot be seen from here', () => {
  /** A PID namespace of its own; a user who is not root needs a user namespace for that. */
  const elsewhere = [
    'unshare',
    ...(userInfo().uid === 0 ? [] : ['-r']),
    '--pid',
    '--fork',
    '--kill-child',
    '--mount-proc',
    process.execPath,
  ];

  it('keeps the lock while it renews its lease, and loses it when it has ended', async () => {
    const child = project.child('elsewhere', { timing: FAST_LEASE, command: elsewhere });
    expect(await child.heard()).toMatchObject({ pid: 1 });
    const locks = project.locks({ timing: FAST_LEASE });
    expect(await locks.holder()).toMatchObject({ run: 'elsewhere', pid: 1, alive: undefined });

    // Longer than the lease may be silent, and no timeout of the caller's cuts the watching short.
    await expect(locks.acquire(lockRequest('a', { timeoutMs: 2_500 }))).rejects.toMatchObject({ code: 'E_LOCKED' });
    await expect(locks.acquire(lockRequest('b', { timeoutMs: 0 }))).rejects.toMatchObject({ code: 'E_LOCKED' });
    expect(await child.tell('check')).toEqual({ done: 'check' });

    const ended = once(child.process, 'exit');
    child.process.kill('SIGKILL');
    await ended;
    const lock = await locks.acquire(lockRequest('c', { timeoutMs: 0 }));
    expect(lock.abandoned).toEqual(['elsewhere']);
    await lock.check();
    await lock.release();
  });

  it.each([
    ['on another machine', { bootId: 'b0071d00-0000-4000-8000-000000000000' }],
    ['without a /proc to know it by', { bootId: undefined, namespace: undefined, startTime: undefined }],
  ])('%s: is fenced when its lease stops, and stops before its next effect', async (_name, parts) => {
    const identity = { ...readIdentity(), ...parts };
    const surroundings = { identity, look: () => ({ kind: 'ended' }) as const };
    const remote = project.locks({ surroundings, timing: NEVER });
    const lost = await remote.acquire(lockRequest('remote'));
    await lost.check();
    const lock = await project.locks({ timing: FAST_LEASE }).acquire(lockRequest('here', { timeoutMs: 10_000 }));
    expect(lock.abandoned).toEqual(['remote']);
    await expect(lost.check()).rejects.toMatchObject({
      code: 'E_FENCED',
      message: expect.stringContaining('run here') as string,
    });
    await lock.release();
  });
});
