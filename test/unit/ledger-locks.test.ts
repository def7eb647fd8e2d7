import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LockTiming } from '../../src/ledger/timing.js';
import type { Clock } from '../../src/model/ports/clock.js';
import type { ProcessIdentity } from '../../src/host/identity.js';
import { createLocks } from '../../src/ledger/locks.js';
import { createRecords } from '../../src/ledger/records.js';
import type { HeldLock, Locks } from '../../src/model/ports/ledger.js';
import { lockRequest } from '../support/lock-requests.js';
import { createMemoryClock } from '../support/memory/clock.js';
import { memoryEngine, type MemoryEngine } from '../support/memory-records.js';

/** Nothing by itself: the interleavings are the scheduler's. */
const STILL: LockTiming = { pollMs: [1, 2], watchMs: 1e9, leaseRenewMs: 1e9, leaseSilenceMs: 4e9 };

/** Everything of one run of the property: an engine whose calls are interleaved, processes that die, and who holds. */
class World {
  readonly engine: MemoryEngine;
  readonly deadPids = new Set<number>();
  readonly acquired: number[] = [];
  readonly passes: { readonly generation: number; readonly from: number; readonly to: number }[] = [];
  private tick = 0;
  private pids = 0;

  constructor(private readonly scheduler: fc.Scheduler) {
    this.engine = memoryEngine((call) => scheduler.schedule(Promise.resolve(), call));
  }

  /** A process with its own view of the engine: once it is dead none of its calls does anything. */
  process(): { readonly locks: Locks; readonly pid: number } {
    const pid = (this.pids += 1);
    const { engine, deadPids } = this;
    const whileAlive = <A extends unknown[], R>(call: (...args: A) => Promise<R>) => {
      return (...args: A): Promise<R> => (deadPids.has(pid) ? new Promise<R>(() => {}) : call(...args));
    };
    const api = {
      ...engine,
      createVolume: whileAlive((name: string, labels: Readonly<Record<string, string>>) =>
        engine.createVolume(name, labels),
      ),
      listVolumes: whileAlive((label: string) => engine.listVolumes(label)),
      removeVolume: whileAlive((name: string) => engine.removeVolume(name)),
    };
    const identity: ProcessIdentity = { pid, bootId: 'b', namespace: 'n', startTime: String(pid) };
    const clock: Clock = {
      ...createMemoryClock(),
      monotonic: () => (this.tick += 1),
      sleep: async () => this.scheduler.schedule(Promise.resolve(), 'sleep'),
    };
    const locks = createLocks({
      api,
      project: 'roma',
      records: createRecords(api, 'roma'),
      surroundings: {
        identity,
        look: (other) => (deadPids.has(other) ? { kind: 'ended' } : { kind: 'running', startTime: String(other) }),
      },
      timing: STILL,
      clock,
    });
    return { locks, pid };
  }

  async check(lock: HeldLock): Promise<boolean> {
    const from = (this.tick += 1);
    try {
      await lock.check();
    } catch (error) {
      expect(error).toMatchObject({ code: 'E_FENCED' });
      return false;
    }
    this.passes.push({ generation: lock.generation, from, to: (this.tick += 1) });
    return true;
  }

  /** Once a later generation's check has passed, no earlier one's may: else two would act at the same time. */
  expectFencing(): void {
    for (const later of this.passes) {
      const wrong = this.passes.find(({ generation, from }) => generation < later.generation && from > later.to);
      expect(wrong).toBeUndefined();
    }
    expect(new Set(this.acquired).size).toBe(this.acquired.length);
  }

  /** Whatever happened, the next run gets the lock, and leaves it free and tidy. */
  async expectUsable(): Promise<void> {
    const lock = await this.process().locks.acquire(lockRequest('last'));
    expect(lock.generation).toBeGreaterThan(Math.max(0, ...this.acquired));
    expect(await this.check(lock)).toBe(true);
    await lock.release();
    const left = [...this.engine.volumes.keys()].filter((name) => !name.endsWith('.records'));
    expect(left).toEqual([`rolling-restart.roma.lock.g${lock.generation + 1}`]);
  }
}

const runs = { numRuns: 300 };

describe('the lock under random interleavings', () => {
  it('has one holder at a time, and hands a dead one’s run to the next', async () => {
    const script = fc.array(fc.constantFrom('release', 'check', 'die'), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.array(script, { minLength: 2, maxLength: 5 }), async (scheduler, scripts) => {
        const world = new World(scheduler);
        let holder: string | undefined;
        let left: string[] = [];
        const client = async (steps: readonly string[], index: number): Promise<void> => {
          const { locks, pid } = world.process();
          for (const [round, step] of [...steps, 'release'].entries()) {
            const run = `${index}-${round}`;
            const lock = await locks.acquire(lockRequest(run, { timeoutMs: Infinity }));
            expect(holder).toBeUndefined();
            expect(lock.abandoned).toEqual(left);
            holder = run;
            world.acquired.push(lock.generation);
            // Nobody breaks a lock here: a live holder is never fenced.
            expect(await world.check(lock)).toBe(true);
            if (step === 'check') expect(await world.check(lock)).toBe(true);
            expect(holder).toBe(run);
            holder = undefined;
            if (step === 'die') {
              left = [...left, run];
              world.deadPids.add(pid);
              return;
            }
            left = [];
            await lock.release();
          }
        };
        await scheduler.waitFor(Promise.all(scripts.map(client)));
        world.expectFencing();
        // A dead process's last call may still be on its way; what it makes is superseded, and cleared by the next release.
        await scheduler.waitIdle();
        await scheduler.waitFor(world.expectUsable());
      }),
      runs,
    );
  });

  it('never lets two act, with processes that die anywhere, people who break it and runs that interrupt', async () => {
    const kind = fc.constantFrom('run', 'run', 'run', 'break', 'interrupt');
    const client = fc.record({ kinds: fc.array(kind, { minLength: 1, maxLength: 4 }), diesAfter: fc.nat(40) });
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.array(client, { minLength: 2, maxLength: 5 }), async (scheduler, clients) => {
        const world = new World(scheduler);
        const play = async (kinds: readonly string[], index: number): Promise<void> => {
          const { locks, pid } = world.process();
          const live = async (): Promise<void> => {
            for (const [round, kind] of kinds.entries()) {
              if (kind === 'break') {
                await locks.breakLock();
                continue;
              }
              const options = { timeoutMs: Infinity, interrupt: kind === 'interrupt', yieldMs: 5 };
              const lock = await locks.acquire(lockRequest(`${index}-${round}`, options));
              world.acquired.push(lock.generation);
              while ((await world.check(lock)) && world.passes.length % 3 !== 0);
              await lock.release();
              await lock.release();
            }
          };
          const die = async (): Promise<void> => {
            for (let left = clients[index]?.diesAfter ?? 0; left > 0; left -= 1) {
              await scheduler.schedule(Promise.resolve(), 'age');
            }
            // A process that has done its work by then has died of nothing.
            world.deadPids.add(pid);
          };
          await Promise.race([live(), die()]);
          world.deadPids.add(pid);
        };
        await scheduler.waitFor(Promise.all(clients.map(({ kinds }, index) => play(kinds, index))));
        world.expectFencing();
        // A dead process's last call may still be on its way; what it makes is superseded, and cleared by the next release.
        await scheduler.waitIdle();
        await scheduler.waitFor(world.expectUsable());
      }),
      runs,
    );
  });
});

describe('an engine that fails in the middle', () => {
  const clock = createMemoryClock();

  it('does not leave a live process holding a lock that it does not know of', async () => {
    let fail = '';
    const engine = memoryEngine(async (call) => {
      if (fail !== '' && call.startsWith(fail)) {
        fail = '';
        throw new Error('connection lost');
      }
      if (call.startsWith('create') && call.includes('.lock.')) fail = 'list';
    });
    const locks = createLocks({
      api: engine,
      project: 'roma',
      records: createRecords(engine, 'roma'),
      clock,
      timing: STILL,
    });
    await expect(locks.acquire(lockRequest('1-1'))).rejects.toThrow('connection lost');
    fail = '';
    expect(await locks.holder()).toBeUndefined();
  });

  it('refuses a volume in the way that is not a lock', async () => {
    const engine = memoryEngine();
    engine.volumes.set('rolling-restart.roma.lock.g1', {});
    const locks = createLocks({
      api: engine,
      project: 'roma',
      records: createRecords(engine, 'roma'),
      clock,
      timing: STILL,
    });
    await expect(locks.acquire(lockRequest('1-1'))).rejects.toMatchObject({ code: 'E_LEDGER' });
  });

  it('takes a generation whose labels are gone for held by somebody unknown, never for free', async () => {
    const engine = memoryEngine();
    engine.volumes.set('rolling-restart.roma.lock.g3', { 'rolling-restart.lock': 'roma' });
    const locks = createLocks({
      api: engine,
      project: 'roma',
      records: createRecords(engine, 'roma'),
      clock,
      timing: STILL,
    });
    expect(await locks.holder()).toMatchObject({ generation: 3, actor: 'unknown', alive: undefined });
  });
});
