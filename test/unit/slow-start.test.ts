import { describe, expect, it } from 'vitest';
import { CONSISTENT_STARTS, judgeStart } from '../../src/model/slow-start.js';

const starts = (...seconds: readonly (number | undefined)[]) =>
  seconds.map((one) => ({ healthyMs: one === undefined ? undefined : one * 1_000 }));

describe('how long a start took', () => {
  it('is nothing to speak of up to the runbook’s 60 s, whatever was before', () => {
    expect(judgeStart(60_000, false, starts(90, 90, 90))).toEqual({ kind: 'normal' });
    expect(judgeStart(1_000, true, [])).toEqual({ kind: 'normal' });
  });

  it('is judged by another time where one is given, and so are the starts before', () => {
    expect(judgeStart(4_000, false, starts(1), 5_000)).toEqual({ kind: 'normal' });
    expect(judgeStart(6_000, false, starts(6, 7, 8), 5_000)).toMatchObject({ kind: 'warning', consistent: true });
    expect(judgeStart(6_000, false, starts(6, 5, 8), 5_000)).toMatchObject({ kind: 'warning', consistent: false });
  });

  it('is a note for the first start of a service, since that is normal', () => {
    expect(judgeStart(75_000, true, [])).toEqual({
      kind: 'note',
      message: 'it took 1 min 15 s to start, which is normal for the first time',
    });
  });

  it('is a warning later, with the figures of the starts before as far as there are any', () => {
    expect(judgeStart(75_000, false, starts(undefined))).toEqual({
      kind: 'warning',
      consistent: false,
      message: 'it took 1 min 15 s to start',
    });
    expect(judgeStart(75_000, false, starts(2, undefined, 61))).toMatchObject({
      consistent: false,
      message: 'it took 1 min 15 s to start (before: 2 s, 1 min 1 s)',
    });
  });

  it('is consistent when all of the last starts were slow as well, and not with fewer of them', () => {
    expect(judgeStart(75_000, false, starts(1, 62, 70, 65))).toEqual({
      kind: 'warning',
      consistent: true,
      message:
        'it took 1 min 15 s to start, and so did its last 3 starts (1 min 2 s, 1 min 10 s, 1 min 5 s): that is consistent',
    });
    const slow = Array.from({ length: CONSISTENT_STARTS - 1 }, () => 90);
    expect(judgeStart(75_000, false, starts(...slow))).toMatchObject({ consistent: false });
    expect(judgeStart(75_000, false, starts(...slow, 60))).toMatchObject({ consistent: false });
  });
});
