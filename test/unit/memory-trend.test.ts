import { describe, expect, it } from 'vitest';
import { memoryCourse, risingMemory, type MemoryReading } from '../../src/model/memory-trend.js';

const MB = 1e6;

/** A reading every 2 s. @param bytes of the share of the watch that is over, 0 to 1 */
function watched(seconds: number, bytes: (share: number) => number): readonly MemoryReading[] {
  const count = seconds / 2;
  return Array.from({ length: count + 1 }, (_, index) => ({ atMs: index * 2_000, bytes: bytes(index / count) }));
}

describe('memory during a watch', () => {
  it.each([
    ['that rises to the end', watched(300, (share) => (200 + 400 * share) * MB)],
    ['that rises in steps', watched(300, (share) => (200 + 100 * Math.floor(share * 8)) * MB)],
  ])('%s is a leak', (_, readings) => {
    expect(risingMemory(readings)).toMatch(/goes on rising/);
  });

  it.each([
    [
      'that rises at the start and is stable then',
      watched(300, (share) => (share < 0.25 ? 100 + 1_600 * share : 500) * MB),
    ],
    ['that falls', watched(300, (share) => (600 - 300 * share) * MB)],
    ['that goes up and down', watched(300, (share) => (300 + 100 * Math.sin(share * 40)) * MB)],
    ['that rises by little', watched(300, (share) => (1_000 + 150 * share) * MB)],
    ['of a small service', watched(300, (share) => (20 + 40 * share) * MB)],
    ['of a short watch', watched(50, (share) => (200 + 400 * share) * MB)],
    ['that was hardly read', watched(300, (share) => (200 + 400 * share) * MB).filter((_, index) => index % 15 === 0)],
    ['that nobody read', []],
  ])('%s is none', (_, readings) => {
    expect(risingMemory(readings)).toBeUndefined();
  });

  it('says from what to what', () => {
    expect(risingMemory(watched(120, (share) => (200 + 400 * share) * MB))).toBe(
      'memory goes on rising: 347 MB on average in the second quarter of the watch, 550 MB in the last',
    );
  });
});

describe('memory before and after', () => {
  const calm = watched(120, () => 200 * MB);

  it('falls, rises or is what it was, and says from what to what', () => {
    expect(memoryCourse(600 * MB, 200 * MB, [])).toBe('memory fell from 600 MB before to 200 MB');
    expect(memoryCourse(100 * MB, 200 * MB, [])).toBe('memory rose from 100 MB before to 200 MB');
    expect(memoryCourse(205 * MB, 200 * MB, [])).toBe('memory is what it was (from 205 MB before to 200 MB)');
    expect(memoryCourse(3 * MB, 4 * MB, [])).toMatch(/is what it was/);
    expect(memoryCourse(undefined, 200 * MB, [])).toBe('memory 200 MB');
  });

  it('says whether it is stable, where the watch was long enough', () => {
    expect(memoryCourse(600 * MB, 200 * MB, calm)).toBe('memory fell from 600 MB before to 200 MB, and is stable');
    const rising = watched(120, (share) => (200 + 400 * share) * MB);
    expect(memoryCourse(600 * MB, 590 * MB, rising)).toMatch(/, and goes on rising$/);
    const falling = watched(120, (share) => (600 - 400 * share) * MB);
    expect(memoryCourse(600 * MB, 200 * MB, falling)).toMatch(/, and is not stable$/);
    expect(memoryCourse(600 * MB, 200 * MB, calm.slice(0, 10))).toBe('memory fell from 600 MB before to 200 MB');
  });
});
