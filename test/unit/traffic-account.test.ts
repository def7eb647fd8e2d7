import { describe, expect, it } from 'vitest';
import { TrafficAccount } from '../../src/model/traffic-account.js';
import {
  parseVersionSource,
  trafficUrlProblem,
  versionOf,
  type FailureKind,
  type TrafficSample,
  type VersionSource,
} from '../../src/model/traffic.js';

const FROM = Date.parse('2026-11-24T03:00:00.000Z');

/** Times in milliseconds after the beginning. */
function sample(dueMs: number, latencyMs: number, more: Partial<TrafficSample> = {}): TrafficSample {
  const [due, ended] = [FROM + dueMs, FROM + dueMs + latencyMs];
  return { dueMs: due, endedMs: ended, failure: undefined, version: undefined, lateMs: 0, retried: false, ...more };
}

function failure(dueMs: number, kind: FailureKind, latencyMs = 1): TrafficSample {
  return sample(dueMs, latencyMs, { failure: { kind, said: kind } });
}

function account(...samples: readonly TrafficSample[]): TrafficAccount {
  const made = new TrafficAccount(FROM);
  for (const one of samples) made.add(one);
  return made;
}

describe('the longest time without a good answer', () => {
  const gap = (made: TrafficAccount, toMs: number): readonly [number, number] => {
    const { longestGapMs, longestGapAt } = made.numbers(FROM + toMs);
    return [Date.parse(longestGapAt) - FROM, longestGapMs];
  };

  it.each<[string, readonly TrafficSample[], number, readonly [number, number]]>([
    ['nothing was ever answered: all of it', [], 700, [0, 700]],
    [
      'is between two good answers',
      [sample(0, 10), failure(100, 'refused'), sample(900, 10), sample(1_000, 10)],
      1_020,
      [10, 900],
    ],
    ['is before the first one', [failure(0, 'refused'), sample(500, 20), sample(600, 20)], 630, [0, 520]],
    ['is after the last one', [sample(0, 10), sample(100, 10), failure(200, 'reset')], 900, [110, 790]],
    ['failures do not end it', [sample(0, 0), failure(200, '5xx'), failure(400, '5xx'), sample(600, 0)], 600, [0, 600]],
    [
      'a slow answer is one, although nothing failed',
      [sample(0, 10), sample(100, 2_000), sample(200, 1_950)],
      2_150,
      [10, 2_090],
    ],
    ['the first of two equal ones', [sample(0, 0), sample(300, 0), sample(600, 0)], 600, [0, 300]],
  ])('%s', (_, samples, toMs, expected) => {
    expect(gap(account(...samples), toMs)).toEqual(expected);
  });
});

describe('latencies', () => {
  it('are told within one percent, and the slowest exactly', () => {
    const made = new TrafficAccount(FROM);
    for (let count = 1; count <= 1_000; count += 1) made.add(sample(count * 10, count));
    const { p50Ms = 0, p99Ms = 0, slowestMs } = made.numbers(FROM + 20_000);
    expect(p50Ms).toBeGreaterThanOrEqual(500);
    expect(p50Ms).toBeLessThan(500 * 1.011);
    expect(p99Ms).toBeGreaterThanOrEqual(990);
    expect(p99Ms).toBeLessThanOrEqual(990 * 1.011);
    expect(slowestMs).toBe(1_000);
  });

  it('are those of good answers alone', () => {
    const { p50Ms, p99Ms, slowestMs } = account(sample(0, 20), failure(10, 'timeout', 5_000)).numbers(FROM + 6_000);
    expect([p50Ms, p99Ms, slowestMs]).toEqual([20, 20, 20]);
  });

  it('are not there without a good answer', () => {
    const numbers = account(failure(0, 'refused')).numbers(FROM + 10);
    expect([numbers.p50Ms, numbers.p99Ms, numbers.slowestMs]).toEqual([undefined, undefined, undefined]);
  });

  it('p99 is not the slowest of many', () => {
    const made = new TrafficAccount(FROM);
    for (let count = 0; count < 999; count += 1) made.add(sample(count, 5));
    made.add(sample(1_000, 3_000));
    expect(made.numbers(FROM + 5_000)).toMatchObject({ p99Ms: expect.closeTo(5, 0) as number, slowestMs: 3_000 });
  });
});

describe('buckets', () => {
  it('hold good answers, failures and versions in steps of a quarter of a second', () => {
    const { bucketMs, buckets } = account(
      sample(0, 1, { version: '1' }),
      sample(100, 1, { version: '1' }),
      failure(260, 'reset'),
      sample(800, 1, { version: '2' }),
    ).numbers(FROM + 1_000);
    expect(bucketMs).toBe(250);
    expect(buckets.map(({ at, ...rest }) => ({ ...rest, atMs: Date.parse(at) - FROM }))).toEqual([
      { atMs: 0, good: 2, failed: 0, versions: [{ version: '1', answers: 2 }] },
      { atMs: 250, good: 0, failed: 1, versions: [] },
      { atMs: 500, good: 0, failed: 0, versions: [] },
      { atMs: 750, good: 1, failed: 0, versions: [{ version: '2', answers: 1 }] },
    ]);
  });

  it('become wider and never too many, and lose nothing', () => {
    const made = new TrafficAccount(FROM);
    const seconds = 3 * 3_600;
    for (let second = 0; second < seconds; second += 1) {
      made.add(sample(second * 1_000, 1, { version: second < 100 ? 'old' : 'new' }));
      if (second % 100 === 0) made.add(failure(second * 1_000 + 5, '5xx'));
    }
    const { buckets, bucketMs, firstFailures, failed } = made.numbers(FROM + seconds * 1_000);
    expect(buckets.length).toBeLessThanOrEqual(60);
    expect(buckets.length).toBeGreaterThan(30);
    expect(Math.log2(bucketMs / 250) % 1).toBe(0);
    const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
    const versions = buckets.flatMap((bucket) => bucket.versions);
    expect(sum(buckets.map(({ good }) => good))).toBe(seconds);
    expect(sum(buckets.map((bucket) => bucket.failed))).toBe(seconds / 100);
    expect(sum(versions.filter(({ version }) => version === 'old').map(({ answers }) => answers))).toBe(100);
    expect(sum(versions.filter(({ version }) => version === 'new').map(({ answers }) => answers))).toBe(seconds - 100);
    expect(failed).toBe(seconds / 100);
    expect(firstFailures).toHaveLength(50);
  });

  it('name a few versions, and the others together', () => {
    const made = new TrafficAccount(FROM);
    for (let count = 0; count < 100; count += 1) made.add(sample(0, 1, { version: `request-${count}` }));
    const versions = made.numbers(FROM + 10).buckets[0]?.versions ?? [];
    expect(versions).toHaveLength(9);
    expect(versions.at(-1)).toEqual({ version: 'others', answers: 92 });
  });
});

it('counts by kind, in a fixed order, and keeps the first failures with their times', () => {
  const numbers = account(
    failure(10, 'other'),
    failure(20, 'refused'),
    sample(25, 1, { lateMs: 7.4, retried: true }),
    failure(30, 'refused'),
  ).numbers(FROM + 100);
  expect(numbers).toMatchObject({ requests: 4, failed: 3, retried: 1, latestSendMs: 7, durationMs: 100 });
  expect(numbers.failures).toEqual([
    { kind: 'refused', count: 2 },
    { kind: 'other', count: 1 },
  ]);
  expect(numbers.firstFailures.map(({ at, kind }) => `${at} ${kind}`)).toEqual([
    '2026-11-24T03:00:00.011Z other',
    '2026-11-24T03:00:00.021Z refused',
    '2026-11-24T03:00:00.031Z refused',
  ]);
});

describe('the version of an answer', () => {
  const header: VersionSource = { kind: 'header', name: 'x-version' };
  const json = (field: string): VersionSource => ({ kind: 'json', field });

  it.each<[VersionSource, string, string | undefined]>([
    [header, '', '1.2.3'],
    [{ kind: 'header', name: 'x-other' }, '', undefined],
    [json('version'), '{"version":"2.0.0"}', '2.0.0'],
    [json('build.number'), '{"build":{"number":42}}', '42'],
    [json('build.number'), '{"build":null}', undefined],
    [json('list.0'), '{"list":["a"]}', 'a'],
    [json('version'), '{"version":{"nested":1}}', undefined],
    [json('version'), '{"version":""}', undefined],
    [json('constructor'), '{}', undefined],
    [json('version'), 'not JSON', undefined],
    [json('version'), 'null', undefined],
    [json('version'), JSON.stringify({ version: 'x'.repeat(100) }), 'x'.repeat(40)],
  ])('%j of %s is %s', (source, body, expected) => {
    expect(versionOf(source, { 'x-version': ' 1.2.3 ', 'set-cookie': ['a', 'b'] }, body)).toBe(expected);
  });

  it.each<[string, VersionSource]>([
    ['header:X-Version', header],
    ['json:version', json('version')],
    ['json:build.git-sha', json('build.git-sha')],
  ])('%s is read', (text, expected) => {
    expect(parseVersionSource(text)).toEqual(expected);
  });

  it.each(['x-version', 'header:', 'header:a b', 'json:', 'json:a..b', 'json:.a', 'xml:version'])(
    '%s cannot be',
    (text) => {
      expect(parseVersionSource(text)).toEqual({ problem: expect.stringContaining('header:NAME') as string });
    },
  );
});

describe('a URL to send requests to', () => {
  it.each(['http://127.0.0.1:3000/health', 'https://example.com/?a=b', 'http://[::1]:80/'])('%s is one', (text) => {
    expect(trafficUrlProblem(text)).toBeUndefined();
  });

  it.each([
    ['127.0.0.1:3000', 'is not a URL'],
    ['/health', 'is not a URL'],
    ['ftp://example.com/', 'begins with neither'],
    ['http://user:password@example.com/', 'holds a user or a password'],
  ])('%s is none', (text, why) => {
    expect(trafficUrlProblem(text)).toContain(why);
    expect(trafficUrlProblem('http://user:password@example.com/')).not.toContain('password@');
  });
});
