import { describe, expect, it } from 'vitest';
import type { Engine, EngineEvent } from '../../src/model/ports/engine.js';
import { EventFeed } from '../../src/run/events.js';
import { createMemoryClock } from '../support/memory/clock.js';

const MINUTE_MS = 60_000;
const never = new AbortController().signal;

const event = (action: EngineEvent['action'], id = 'one'): EngineEvent => ({
  atMs: 0,
  action,
  id,
  type: 'container',
  service: 'web',
  exitCode: undefined,
});

/** A feed of an engine that tells what the test says. */
function feed() {
  const clock = createMemoryClock();
  let tell: (event: EngineEvent) => void = () => undefined;
  const engine = {
    async *events(_project: string, signal: AbortSignal) {
      while (!signal.aborted) {
        const next = await new Promise<EngineEvent | undefined>((resolve) => {
          tell = resolve;
          signal.addEventListener('abort', () => resolve(undefined), { once: true });
        });
        if (next !== undefined) yield next;
      }
    },
  } as Pick<Engine, 'events'> as Engine;
  return { clock, events: new EventFeed(engine, 'shop', clock), tell: (one: EngineEvent) => tell(one) };
}

describe('the next event', () => {
  it('is the first that matches, and nobody waits on', async () => {
    const { clock, events, tell } = feed();
    const next = events.next(({ action }) => action === 'die', MINUTE_MS, never);
    for (const one of [event('start'), event('die', 'two'), event('die', 'three')]) {
      tell(one);
      await clock.advance(1);
    }
    expect(await next).toMatchObject({ id: 'two' });
    expect(clock.ahead()).toBe(0);
    await events.close();
  });

  it('is not waited for longer than was said', async () => {
    const { clock, events, tell } = feed();
    let ended = false;
    const next = events.next(({ action }) => action === 'die', MINUTE_MS, never).finally(() => (ended = true));
    tell(event('start'));
    await clock.advance(MINUTE_MS - 1);
    expect(ended).toBe(false);
    await clock.advance(1);
    expect(await next).toBeUndefined();
    await events.close();
  });

  it('is not waited for any more after an abort', async () => {
    const { clock, events } = feed();
    const cancel = new AbortController();
    const next = events.next(() => true, MINUTE_MS, cancel.signal);
    cancel.abort();
    expect(await next).toBeUndefined();
    expect(await events.next(() => true, MINUTE_MS, cancel.signal)).toBeUndefined();
    expect(clock.ahead()).toBe(0);
    await events.close();
  });
});
