import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/model/ports/clock.js';

export interface ClockSubject {
  readonly clock: Clock;
  /** Lets at least so many milliseconds pass. */
  readonly pass: (ms: number) => Promise<void>;
}

/** Node's timers may be early by a part of a millisecond. */
const EARLY_MS = 1;
/** Longer than any test: what waits so long has to be awakened. */
const LONG_MS = 3_600_000;

/** What every clock keeps to, the real one and the one in memory. */
export function clockContract(name: string, create: () => ClockSubject): void {
  const never = (): AbortSignal => new AbortController().signal;

  describe(`time by ${name}`, () => {
    it('is a whole number of milliseconds since the epoch', () => {
      const now = create().clock.now();
      expect(Number.isInteger(now)).toBe(true);
      expect(new Date(now).getUTCFullYear()).toBeGreaterThanOrEqual(2026);
    });

    it('passes alike on both readings', async () => {
      const { clock, pass } = create();
      const [now, monotonic] = [clock.now(), clock.monotonic()];
      await pass(120);
      expect(clock.monotonic() - monotonic).toBeGreaterThanOrEqual(120 - EARLY_MS);
      expect(Math.abs(clock.now() - now - (clock.monotonic() - monotonic))).toBeLessThan(100);
    });

    it('never goes back', async () => {
      const { clock, pass } = create();
      const seen = [clock.monotonic()];
      for (let turn = 0; turn < 3; turn += 1) {
        await pass(1);
        seen.push(clock.monotonic());
      }
      expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    });
  });

  describe(`a sleeper of ${name}`, () => {
    it('wakes when its time is over, and not before', async () => {
      const { clock, pass } = create();
      const began = clock.monotonic();
      let awake: number | undefined;
      const sleeping = clock.sleep(40, never()).then(() => (awake = clock.monotonic() - began));
      await pass(60);
      await sleeping;
      expect(awake).toBeGreaterThanOrEqual(40 - EARLY_MS);
    });

    it('wakes in the order of the ends', async () => {
      const { clock, pass } = create();
      const order: string[] = [];
      const sleeping = [
        clock.sleep(60, never()).then(() => order.push('third')),
        clock.sleep(10, never()).then(() => order.push('first')),
        clock.sleep(35, never()).then(() => order.push('second')),
      ];
      await pass(80);
      await Promise.all(sleeping);
      expect(order).toEqual(['first', 'second', 'third']);
    });

    it('may sleep again as soon as it is awake', async () => {
      const { clock, pass } = create();
      const began = clock.monotonic();
      const wakings: number[] = [];
      const sleeping = (async () => {
        for (let round = 0; round < 3; round += 1) {
          await clock.sleep(10, never());
          wakings.push(clock.monotonic() - began);
        }
      })();
      await pass(60);
      await sleeping;
      expect(wakings.map((at, index) => at >= (index + 1) * (10 - EARLY_MS))).toEqual([true, true, true]);
    });

    it.each([0, -1, 0.5])('wakes soon after %d ms', async (ms) => {
      const { clock, pass } = create();
      const sleeping = clock.sleep(ms, never());
      await pass(5);
      await expect(sleeping).resolves.toBeUndefined();
    });

    it('sleeps for days when it is asked to', async () => {
      const { clock, pass } = create();
      const cancel = new AbortController();
      let awake = false;
      const sleeping = clock.sleep(100 * 24 * LONG_MS, cancel.signal).finally(() => (awake = true));
      await pass(10);
      expect(awake).toBe(false);
      cancel.abort(new Error('enough'));
      await expect(sleeping).rejects.toThrow('enough');
    });

    it('wakes at once on an abort, and throws its reason', async () => {
      const { clock } = create();
      const cancel = new AbortController();
      const reason = new Error('cancelled by a person');
      const sleeping = clock.sleep(LONG_MS, cancel.signal);
      cancel.abort(reason);
      await expect(sleeping).rejects.toBe(reason);
    });

    it('does not lie down under a signal that has aborted', async () => {
      const { clock } = create();
      const reason = new Error('cancelled before');
      await expect(clock.sleep(LONG_MS, AbortSignal.abort(reason))).rejects.toBe(reason);
    });

    it('wakes on a deadline', async () => {
      const { clock, pass } = create();
      const sleeping = clock.sleep(LONG_MS, clock.deadline(10)).catch((error: unknown) => error);
      await pass(30);
      await expect(sleeping).resolves.toMatchObject({ name: 'TimeoutError' });
    });
  });

  describe(`a deadline of ${name}`, () => {
    it('aborts when its time is over, and not before', async () => {
      const { clock, pass } = create();
      const began = clock.monotonic();
      const deadline = clock.deadline(40);
      let ended: number | undefined;
      deadline.addEventListener('abort', () => (ended = clock.monotonic() - began));
      await pass(60);
      expect(deadline.reason).toMatchObject({ name: 'TimeoutError' });
      expect(ended).toBeGreaterThanOrEqual(40 - EARLY_MS);
    });

    it.each([0, -1, 0.5])('is over soon after %d ms', async (ms) => {
      const { clock, pass } = create();
      const deadline = clock.deadline(ms);
      await pass(5);
      expect(deadline.aborted).toBe(true);
    });

    it('lies ahead for days when it is asked to', async () => {
      const { clock, pass } = create();
      const deadline = clock.deadline(100 * 24 * LONG_MS);
      await pass(10);
      expect(deadline.aborted).toBe(false);
    });

    it('aborts with its parent, for the reason of the parent', () => {
      const parent = new AbortController();
      const deadline = create().clock.deadline(LONG_MS, parent.signal);
      expect(deadline.aborted).toBe(false);
      const reason = new Error('cancelled by a person');
      parent.abort(reason);
      expect(deadline.reason).toBe(reason);
    });

    it('has aborted where its parent has', () => {
      const reason = new Error('cancelled before');
      const deadline = create().clock.deadline(LONG_MS, AbortSignal.abort(reason));
      expect(deadline.aborted).toBe(true);
      expect(deadline.reason).toBe(reason);
    });

    it('leaves its parent alone', async () => {
      const { clock, pass } = create();
      const parent = never();
      const deadline = clock.deadline(10, parent);
      await pass(30);
      expect([deadline.aborted, parent.aborted]).toEqual([true, false]);
    });
  });
}
