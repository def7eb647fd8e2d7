import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { outageMs, servingAgain, type RouteChange, type ServingChange } from '../../src/model/outage.js';

describe('outageMs', () => {
  it('is the time between the last that stopped serving and the first that serves again', () => {
    const changes = [
      { atMs: 100, container: 'old', serves: false },
      { atMs: 450, container: 'new', serves: true },
    ];
    expect(outageMs(['old'], changes, 0, 1000)).toBe(350);
  });

  it('is nothing while one of several serves', () => {
    const changes = [
      { atMs: 100, container: 'a', serves: false },
      { atMs: 200, container: 'c', serves: true },
      { atMs: 300, container: 'b', serves: false },
    ];
    expect(outageMs(['a', 'b'], changes, 0, 1000)).toBe(0);
  });

  it('lasts until now when nothing came back, and counts every gap', () => {
    expect(outageMs(['old'], [{ atMs: 400, container: 'old', serves: false }], 0, 1000)).toBe(600);
    const twice = [
      { atMs: 100, container: 'old', serves: false },
      { atMs: 200, container: 'new', serves: true },
      { atMs: 500, container: 'new', serves: false },
      { atMs: 800, container: 'old again', serves: true },
    ];
    expect(outageMs(['old'], twice, 0, 1000)).toBe(400);
  });

  it('is never negative, never longer than the window, and does not depend on the order of the changes', () => {
    const change = fc.record({
      atMs: fc.integer({ min: -50, max: 1500 }),
      container: fc.constantFrom('a', 'b', 'c'),
      serves: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.uniqueArray(change, { selector: (one) => one.atMs }), (changes) => {
        const outage = outageMs(['a'], changes, 0, 1000);
        expect(outage).toBeGreaterThanOrEqual(0);
        expect(outage).toBeLessThanOrEqual(1000);
        expect(outageMs(['a'], changes.toReversed(), 0, 1000)).toBe(outage);
      }),
    );
  });
});

describe('outageMs with a router that decides who gets requests', () => {
  const ready = { atMs: 100, container: 'new', serves: true };
  const died = { atMs: 500, container: 'new', serves: false };
  const route = (atMs: number, serve: RouteChange['route']): RouteChange => ({ atMs, route: serve });
  const switched = route(200, { who: 'new', old: ['old'], percent: 100 });
  const back = route(700, { who: 'only', containers: ['old'] });

  it.each<readonly [string, readonly ServingChange[], readonly RouteChange[], number]>([
    ['a warm old container gets nothing until it is switched back to', [ready, died], [switched, back], 200],
    ['one that was never switched to may die', [ready, died], [], 0],
    ['a canary that dies while the old one has its share', [ready, died], [{ ...switched, route: half() }], 0],
    ['a switch to what runs', [ready], [switched], 0],
    ['a switch to what is not ready yet', [{ ...ready, atMs: 300 }], [switched], 100],
    ['a drain ends new requests before the stop', [{ ...ready, atMs: 400 }], [route(150, drain(['old']))], 250],
    ['a drain of what the router forgot', [ready], [switched, route(250, drain(['old']))], 0],
    [
      'a drain of everything but the old',
      [],
      [route(150, { who: 'drain', containers: { are: 'others', than: ['old'] } })],
      0,
    ],
    ['nobody left out', [], [route(150, { who: 'all-but', containers: [] })], 0],
    ['the only one left out', [], [route(150, { who: 'all-but', containers: ['old'] })], 850],
  ])('%s', (_what, changes, routes, expected) => {
    expect(outageMs(['old'], changes, 0, 1000, routes)).toBe(expected);
  });

  function half(): RouteChange['route'] {
    return { who: 'new', old: ['old'], percent: 50 };
  }

  function drain(containers: readonly string[]): RouteChange['route'] {
    return { who: 'drain', containers: { are: 'these', containers } };
  }
});

describe('servingAgain', () => {
  const ready = [{ atMs: 1_000, container: 'a', serves: true }];
  const event = (atMs: number, action: string, id = 'a') => ({ atMs, action, id });

  it('is from the health check on, of one that Docker started again', () => {
    const events = [
      event(900, 'health_status: healthy'),
      event(2_000, 'die'),
      event(2_100, 'start'),
      event(3_000, 'health_status: healthy'),
    ];
    expect(servingAgain(ready, events)).toEqual([{ atMs: 3_000, container: 'a', serves: true }]);
  });

  it('is from the start on, where there is no health check', () => {
    expect(servingAgain(ready, [event(2_000, 'die'), event(2_100, 'start')])).toEqual([
      { atMs: 2_100, container: 'a', serves: true },
    ]);
  });

  it('is nothing of one that was never ready, or ended before that: those are waited for', () => {
    expect(servingAgain(ready, [event(2_000, 'die', 'b'), event(2_100, 'start', 'b')])).toEqual([]);
    expect(servingAgain(ready, [event(500, 'die'), event(600, 'start')])).toEqual([]);
  });
});
