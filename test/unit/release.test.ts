import { describe, expect, it } from 'vitest';
import {
  isBad,
  releasesToDrop,
  keptReleases,
  liveRelease,
  previousRelease,
  sameBadRelease,
  type Release,
  type ReleaseEvent,
  type ServiceHistory,
} from '../../src/model/release.js';

function release(id: string, over: Partial<Release> = {}): Release {
  return {
    id,
    project: 'p',
    service: 'roma',
    createdAt: '2026-11-24T00:00:00.000Z',
    image: { name: 'roma:latest', id: `id-${id}`, fingerprint: `print-${id}`, digest: undefined, keptAs: `keep:${id}` },
    configHash: 'config',
    composeHash: 'compose',
    replicas: 1,
    commit: `commit-${id}`,
    origin: `git:commit-${id}`,
    definitionFrom: 'rendered',
    by: 'a',
    run: undefined,
    version: undefined,
    ...over,
  };
}

/** `live A`, `bad B`, `dropped C`, in order. */
function history(releases: readonly Release[], ...events: readonly string[]): ServiceHistory {
  return {
    releases,
    events: events.map((event, index): ReleaseEvent => {
      const [kind = '', id = ''] = event.split(' ');
      return {
        at: new Date(index * 1000).toISOString(),
        kind: kind as ReleaseEvent['kind'],
        service: 'roma',
        release: id,
        reason: 'r',
        run: undefined,
        restartMs: undefined,
      };
    }),
  };
}

const [A, B, C] = [release('A'), release('B'), release('C')];

describe('the ledger of a service', () => {
  it('has the release that was accepted last as live', () => {
    expect(liveRelease(history([A, B], 'live A', 'live B'))?.id).toBe('B');
    expect(liveRelease(history([A, B], 'live A', 'live B', 'live A', 'bad B'))?.id).toBe('A');
    expect(liveRelease(history([A]))).toBeUndefined();
  });

  it.each([
    ['the one before', ['live A', 'live B'], 'B', 'A'],
    ['none for the first', ['live A'], 'A', undefined],
    ['never a bad one', ['live A', 'live B', 'live A', 'bad B'], 'A', undefined],
    ['past a bad one', ['live A', 'live B', 'live A', 'bad B', 'live C'], 'C', 'A'],
    ['never one whose record was dropped', ['live A', 'dropped A', 'live B', 'live C', 'bad B'], 'C', undefined],
    ['the live one when nothing known runs', ['live A', 'live B'], undefined, 'B'],
  ] as const)('goes back to %s', (_what, events, current, expected) => {
    expect(previousRelease(history([A, B, C], ...events), current)?.id).toBe(expected);
  });

  it('keeps accepted releases that were not dropped, newest first', () => {
    const kept = keptReleases(history([A, B, C], 'live A', 'live B', 'dropped A', 'live C', 'bad C'));
    expect(kept.map((entry) => entry.id)).toEqual(['C', 'B']);
  });

  it('forgets that a release was bad when it is accepted again', () => {
    expect(isBad(history([A], 'live A', 'bad A'), 'A')).toBe(true);
    expect(isBad(history([A], 'live A', 'bad A', 'live A'), 'A')).toBe(false);
  });

  it('knows a bad release by image and configuration, or by commit and configuration', () => {
    const known = history([A, B], 'live A', 'live B', 'live A', 'bad B');
    const wanted = { configHash: 'config', commit: undefined, fingerprint: undefined };
    expect(sameBadRelease(known, { ...wanted, fingerprint: 'print-B' })?.id).toBe('B');
    expect(sameBadRelease(known, { ...wanted, commit: 'commit-B' })?.id).toBe('B');
    expect(sameBadRelease(known, { ...wanted, commit: 'commit-A' })).toBeUndefined();
    expect(sameBadRelease(known, { configHash: 'other', commit: 'commit-B', fingerprint: 'print-B' })).toBeUndefined();
  });

  it('does not hold against a release what the same one was, once that has held', () => {
    const again = release('B2', { image: { ...B.image, id: 'id-B2', keptAs: 'keep:B2' } });
    const wanted = { configHash: 'config', commit: undefined, fingerprint: 'print-B' };
    const events = ['live A', 'live B', 'live A', 'bad B'];
    expect(sameBadRelease(history([A, B, again], ...events, 'live B2'), wanted)).toBeUndefined();
    expect(sameBadRelease(history([A, B, again], ...events, 'live B2', 'live A', 'bad B2'), wanted)?.id).toBe('B2');
  });

  it('goes back past a maintenance, which deploys what runs once more', () => {
    const again = release('B2', { image: { ...B.image, id: 'id-B2', keptAs: 'keep:B2' } });
    const kept = history([A, B, again], 'live A', 'live B', 'live B2');
    expect(previousRelease(kept, 'B2')?.id).toBe('A');
    // Another base image, or another configuration, is another release.
    const rebuilt = release('B3');
    expect(previousRelease(history([A, B, rebuilt], 'live A', 'live B', 'live B3'), 'B3')?.id).toBe('B');
    const configured = release('B4', { image: B.image, configHash: 'other' });
    expect(previousRelease(history([A, B, configured], 'live A', 'live B', 'live B4'), 'B4')?.id).toBe('B');
    expect(previousRelease(history([B, again], 'live B', 'live B2'), 'B2')).toBeUndefined();
  });

  it('drops what is beyond the kept ones, never the live one, the one before it, or a good one for a bad one', () => {
    const dropped = (count: number, ...events: readonly string[]): readonly string[] =>
      releasesToDrop(history([A, B, C], ...events), count).map((entry) => entry.id);
    expect(dropped(5, 'live A', 'live B', 'live C')).toEqual([]);
    expect(dropped(2, 'live A', 'live B', 'live C')).toEqual(['A']);
    expect(dropped(1, 'live A', 'live B', 'live C')).toEqual(['A']);
    expect(dropped(1, 'live A', 'live B', 'live A', 'bad B')).toEqual(['B']);
    expect(dropped(5, 'live A', 'live B', 'live A', 'bad B')).toEqual([]);
    expect(dropped(2, 'live A', 'live B', 'live C', 'live B', 'bad C')).toEqual([]);
  });
});
