import { describe, expect, it } from 'vitest';
import { judgeCanary, type CanaryFigures, type CanaryVerdict } from '../../src/model/canary.js';
import { DEFAULT_CANARY } from '../../src/model/policy.js';

const figures = (requests: number, failures = 0, averageMs?: number): CanaryFigures['new'] => ({
  requests,
  failures,
  averageMs,
  errorLines: 0,
  memoryBytes: undefined,
});
const withLines = (requests: number, errorLines: number): CanaryFigures['new'] => ({
  ...figures(requests, 0, 10),
  errorLines,
});
const withMemory = (memoryBytes: number | undefined): CanaryFigures['new'] => ({
  ...figures(100, 0, 10),
  memoryBytes,
});

type Row = readonly [
  title: string,
  fresh: CanaryFigures['new'],
  old: CanaryFigures['new'],
  kind: CanaryVerdict['kind'],
];

const ROWS: readonly Row[] = [
  ['no failure and the same latency', figures(100, 0, 10), figures(900, 0, 10), 'good'],
  ['exactly as many requests as are needed', figures(20, 0, 10), figures(180, 0, 10), 'good'],
  ['no latency known yet', figures(20), figures(180), 'good'],
  ['a failing release', figures(100, 30, 10), figures(900, 0, 10), 'bad'],
  ['a rate within the margin', figures(1_000, 10, 10), figures(9_000, 0, 10), 'good'],
  ['a rate above the margin', figures(1_000, 11, 10), figures(9_000, 0, 10), 'bad'],
  ['both bad alike', figures(100, 30, 10), figures(900, 270, 10), 'good'],
  ['the new one better than a bad one', figures(100, 1, 10), figures(900, 270, 10), 'good'],
  ['both bad, the new one more', figures(100, 40, 10), figures(900, 270, 10), 'bad'],
  ['an old one without requests', figures(100, 5, 10), figures(0), 'bad'],
  ['no request at all', figures(0), figures(900, 0, 10), 'inconclusive'],
  ['one request too few', figures(19, 0, 10), figures(900, 0, 10), 'inconclusive'],
  ['too few requests, two of them failed', figures(5, 2, 10), figures(900, 0, 10), 'inconclusive'],
  ['too few requests, but three of them failed', figures(5, 3, 10), figures(900, 0, 10), 'bad'],
  ['too few requests, and slow ones', figures(5, 0, 900), figures(900, 0, 10), 'inconclusive'],
  ['much slower answers', figures(100, 0, 300), figures(900, 0, 100), 'bad'],
  ['exactly twice as slow', figures(100, 0, 200), figures(900, 0, 100), 'good'],
  ['many times as slow, by a few milliseconds', figures(100, 0, 51), figures(900, 0, 2), 'good'],
  ['many times as slow, by just enough', figures(100, 0, 52), figures(900, 0, 2), 'bad'],
  ['error lines that the old one does not write', withLines(100, 5), withLines(900, 0), 'bad'],
  ['error lines in few requests', withLines(4, 5), withLines(900, 0), 'bad'],
  ['two error lines', withLines(100, 2), withLines(900, 0), 'good'],
  ['error lines for each request as ever', withLines(100, 10), withLines(900, 90), 'good'],
  ['exactly twice the error lines', withLines(100, 20), withLines(900, 90), 'good'],
  ['more than twice the error lines', withLines(100, 21), withLines(900, 90), 'bad'],
  ['twice the memory of before and more', withMemory(450e6), withMemory(200e6), 'bad'],
  ['twice the memory of a small one', withMemory(60e6), withMemory(20e6), 'good'],
  ['more memory, not twice as much', withMemory(390e6), withMemory(200e6), 'good'],
  ['memory that nobody knows', withMemory(900e6), withMemory(undefined), 'good'],
  ['both slow alike', figures(100, 0, 2_000), figures(900, 0, 2_000), 'good'],
];

describe('judgeCanary', () => {
  it.each(ROWS)('%s', (_title, fresh, old, kind) => {
    expect(judgeCanary({ new: fresh, old }, DEFAULT_CANARY).kind).toBe(kind);
  });

  it('says what it compared', () => {
    const reasonOf = (fresh: CanaryFigures['new'], old: CanaryFigures['new']): unknown =>
      judgeCanary({ new: fresh, old }, DEFAULT_CANARY);
    expect(reasonOf(figures(40, 10), figures(200, 1))).toMatchObject({
      reason: "25.0 % of its requests failed, 0.5 % of the old one's",
    });
    expect(reasonOf(figures(3), figures(200))).toMatchObject({ reason: 'it got 3 requests, fewer than 20' });
    expect(reasonOf(figures(40, 0, 300), figures(200, 0, 20))).toMatchObject({
      reason: "its answers take 300 ms on average, the old one's 20 ms",
    });
  });
});
