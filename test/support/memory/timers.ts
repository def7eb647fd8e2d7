import type { Clock } from '../../../src/model/ports/clock.js';

const CANCELLED = new Error('cancelled');

/** Ends what was scheduled. */
export type Cancel = () => void;

/** Does something later, by the clock of the world; nothing is left of it when it is cancelled. */
export function after(clock: Clock, ms: number, act: () => void): Cancel {
  const controller = new AbortController();
  void clock.sleep(Math.max(0, ms), controller.signal).then(act, () => undefined);
  // Without a reason, each abort would make an error with a stack.
  return () => controller.abort(CANCELLED);
}

/** The first of three: the work, the signal, the time. Nothing begins under a signal that has aborted. */
export async function within<T>(
  clock: Clock,
  begin: () => Promise<T>,
  limits: {
    readonly ms: number;
    readonly late: () => Error;
    readonly signal: AbortSignal | undefined;
    readonly aborted: (signal: AbortSignal) => Error;
  },
): Promise<T> {
  const { ms, late, signal, aborted } = limits;
  if (signal?.aborted === true) throw aborted(signal);
  const work = begin();
  let onAbort = (): void => undefined;
  let cancel: Cancel = () => undefined;
  const over = new Promise<never>((_resolve, reject) => {
    cancel = after(clock, ms, () => reject(late()));
    onAbort = () => {
      if (signal !== undefined) reject(aborted(signal));
    };
    signal?.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, over]);
  } finally {
    work.catch(() => undefined);
    cancel();
    signal?.removeEventListener('abort', onAbort);
  }
}
