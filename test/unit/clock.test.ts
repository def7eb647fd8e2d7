import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createClock } from '../../src/host/clock.js';
import { clockContract } from '../support/contracts/clock.js';
import { createMemoryClock } from '../support/memory/clock.js';

const HOUR_MS = 3_600_000;

clockContract('the host', () => ({ clock: createClock(), pass: (ms) => wait(ms) }));

clockContract('memory', () => {
  const clock = createMemoryClock();
  return { clock, pass: (ms) => clock.advance(ms) };
});

describe('the clock of the host', () => {
  it('keeps a process alive for a sleeper, and not for a deadline', async () => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', path.join(import.meta.dirname, '../support/clock-child.ts')],
      { timeout: 8_000 },
    );
    expect(stdout).toBe('awake\n');
  });
});

describe('the clock in memory', () => {
  const never = new AbortController().signal;

  it('lets each sleeper wake at its own time, also one that lay down on the way', async () => {
    const clock = createMemoryClock({ startsAt: 0 });
    const wakings: number[] = [];
    const sleeper = async (ms: number): Promise<void> => {
      for (let round = 0; round < 3; round += 1) {
        await clock.sleep(ms, never);
        wakings.push(clock.now());
      }
    };
    void sleeper(10_000);
    void sleeper(15_000);
    await clock.advance(HOUR_MS);
    expect(wakings).toEqual([10_000, 15_000, 20_000, 30_000, 30_000, 45_000]);
    expect(clock.now()).toBe(HOUR_MS);
  });

  it('stands still until it is told', async () => {
    const clock = createMemoryClock();
    const before = clock.monotonic();
    await wait(20);
    expect(clock.monotonic()).toBe(before);
  });

  it('forgets who was awakened by an abort', async () => {
    const clock = createMemoryClock();
    const cancel = new AbortController();
    const sleeping = clock.sleep(HOUR_MS, cancel.signal).catch(() => undefined);
    clock.deadline(HOUR_MS, cancel.signal);
    expect(clock.ahead()).toBe(2);
    cancel.abort();
    await sleeping;
    expect(clock.ahead()).toBe(0);
  });

  describe('when it is automatic', () => {
    it('passes as soon as everybody waits', async () => {
      const clock = createMemoryClock({ automatic: true });
      const [real, began] = [performance.now(), clock.monotonic()];
      for (let round = 0; round < 100; round += 1) await clock.sleep(HOUR_MS, never);
      expect(clock.monotonic() - began).toBe(100 * HOUR_MS);
      expect(performance.now() - real).toBeLessThan(2_000);
    });

    it('ends what nobody answers, at its deadline', async () => {
      const clock = createMemoryClock({ automatic: true });
      const began = clock.monotonic();
      const deadline = clock.deadline(30_000);
      await new Promise((resolve) => deadline.addEventListener('abort', resolve));
      expect(clock.monotonic() - began).toBe(30_000);
    });

    it('waits for files and children', async () => {
      const clock = createMemoryClock({ automatic: true });
      const deadline = clock.deadline(30_000);
      for (let round = 0; round < 50; round += 1) await readFile(fileURLToPath(import.meta.url));
      await promisify(execFile)('sleep', ['0.2']);
      expect(deadline.aborted).toBe(false);
    });
  });
});
