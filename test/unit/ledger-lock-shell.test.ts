import { describe, expect, it } from 'vitest';
import type { ProcessLook } from '../../src/host/identity.js';
import { createLocks } from '../../src/ledger/locks.js';
import { createRecords } from '../../src/ledger/records.js';
import type { Locks } from '../../src/model/ports/ledger.js';
import { lockRequest } from '../support/lock-requests.js';
import { createMemoryClock } from '../support/memory/clock.js';
import { memoryEngine, type MemoryEngine } from '../support/memory-records.js';

const never = new AbortController().signal;

/** A process on an engine, with a clock that passes as fast as it is asked. */
function processOn(engine: MemoryEngine, look: ProcessLook, namespace = 'n'): Locks {
  return createLocks({
    api: engine,
    project: 'roma',
    records: createRecords(engine, 'roma'),
    surroundings: { identity: { pid: 7, bootId: 'b', namespace, startTime: '1' }, look: () => look },
    timing: { pollMs: [100, 100], watchMs: 5, leaseRenewMs: 5_000, leaseSilenceMs: 20_000 },
    clock: createMemoryClock({ automatic: true }),
  });
}

const running: ProcessLook = { kind: 'running', startTime: '1' };

describe('the lock, as a person at a shell sees it', () => {
  it('is free, alive or dead', async () => {
    const engine = memoryEngine();
    const holder = processOn(engine, running);
    expect(await holder.liveness(never)).toBe('free');
    const lock = await holder.acquire(lockRequest('1'));
    expect(await processOn(engine, running).liveness(never)).toBe('alive');
    expect(await processOn(engine, { kind: 'ended' }).liveness(never)).toBe('dead');
    await lock.release();
    expect(await holder.liveness(never)).toBe('free');
  });

  it('is dead when its holder cannot be seen and its lease stands still', async () => {
    const engine = memoryEngine();
    await processOn(engine, running).acquire(lockRequest('1'));
    expect(await processOn(engine, running, 'another').liveness(never)).toBe('dead');
  });

  it('asks its holder to yield, who hears by whom and why', async () => {
    const engine = memoryEngine();
    const person = processOn(engine, running);
    expect(await person.askToYield('tester at shell cancels it')).toBeUndefined();
    const lock = await processOn(engine, running).acquire(lockRequest('1'));
    const heard = new Promise<unknown>((resolve) => {
      lock.yieldRequested.addEventListener('abort', () => resolve(lock.yieldRequested.reason));
    });
    expect(await person.askToYield('tester at shell cancels it')).toMatchObject({ run: '1', generation: 1 });
    expect(await heard).toMatchObject({
      code: 'E_CANCELLED',
      message: expect.stringContaining('tester at shell cancels it') as string,
    });
    await lock.release();
  });
});

describe('a lock that is dissolved', () => {
  it('leaves nothing, and does what it is for while it is still held', async () => {
    const engine = memoryEngine();
    const locks = processOn(engine, running);
    await (await locks.acquire(lockRequest('1'))).release();
    const lock = await locks.acquire(lockRequest('2'));
    let held: readonly string[] = [];
    await lock.dissolve(async () => {
      held = [...engine.volumes.keys()].filter((name) => name.includes('.lock.'));
      engine.pruneContainers();
      await engine.removeVolume('rolling-restart.roma.records');
    });
    expect(held).toContain(`rolling-restart.roma.lock.g${lock.generation}`);
    expect([...engine.volumes.keys()]).toEqual([]);
    await expect(lock.check()).rejects.toMatchObject({ code: 'E_FENCED' });
    expect((await locks.acquire(lockRequest('3'))).generation).toBe(1);
  });

  it('is left alone when another run has taken it over', async () => {
    const engine = memoryEngine();
    const lock = await processOn(engine, running).acquire(lockRequest('1'));
    await processOn(engine, { kind: 'ended' }).acquire(lockRequest('2'));
    let did = false;
    const dissolving = lock.dissolve(async () => {
      did = true;
      await Promise.resolve();
    });
    await expect(dissolving).rejects.toMatchObject({ code: 'E_FENCED' });
    expect(did).toBe(false);
    expect([...engine.volumes.keys()].some((name) => name.includes('.lock.'))).toBe(true);
  });
});
