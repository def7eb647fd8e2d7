import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nearest } from '../../src/action/nearest.js';
import { formatDuration, formatSize, parseDuration, parseSize } from '../../src/model/units.js';

describe('parseDuration', () => {
  it.each([
    ['0', 0],
    ['0s', 0],
    ['250ms', 250],
    ['90s', 90_000],
    ['5m', 300_000],
    ['1.5m', 90_000],
    ['1h30m', 5_400_000],
    ['1H 30M', 5_400_000],
    [' 2d ', 172_800_000],
  ])('%s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });
  it.each(['', '5', 'm', '5 minutes', '-5m', '5m!', '1h30', 'five'])('refuses "%s" with the spelling', (text) => {
    expect(() => parseDuration(text)).toThrow(
      expect.objectContaining({ code: 'E_INPUT', next: expect.stringContaining('90s') as string }),
    );
  });
  it('reads what it writes, to a tenth or better', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 86_400_000 }), (ms) => {
        const shown = formatDuration(ms);
        const read = parseDuration(shown.replaceAll(' min', 'm').replaceAll(/ (?=[a-z])/g, ''));
        expect(Math.abs(read - ms)).toBeLessThanOrEqual(Math.max(1, ms * 0.1));
      }),
    );
  });
});

describe('parseSize', () => {
  it.each([
    ['1024', 1024],
    ['1.5GB', 1.5e9],
    ['512MiB', 512 * 1024 ** 2],
    ['200m', 200e6],
    ['1 kB', 1_000],
    ['2TiB', 2 * 1024 ** 4],
  ])('%s', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });
  it.each(['', 'GB', '-1GB', '1.5XB', '1,5GB', '1GB2'])('refuses "%s" with the spelling', (text) => {
    expect(() => parseSize(text)).toThrow(
      expect.objectContaining({ code: 'E_INPUT', next: expect.stringContaining('1.5GB') as string }),
    );
  });
});

describe('formatting', () => {
  it.each([
    [0, '0 ms'],
    [340, '340 ms'],
    [1_400, '1.4 s'],
    [2_000, '2 s'],
    [61_000, '1 min 1 s'],
    [300_000, '5 min'],
    [5_400_000, '1 h 30 min'],
  ])('%d ms is %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
  it.each([59_999, 59_600, 119_999, 3_599_999])('never says 60 s or 60 min: %d', (ms) => {
    expect(formatDuration(ms)).not.toMatch(/\b60 /);
  });
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [212e6, '212 MB'],
    [1.5e9, '1.5 GB'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });
});

describe('nearest', () => {
  it.each([
    ['workdir', undefined],
    ['working-dir', 'working-directory'],
    ['watchh', 'watch'],
    ['Smoke-Test', 'smoke-test'],
    ['something-else', undefined],
  ])('%s', (word, wanted) => {
    expect(nearest(word, ['working-directory', 'watch', 'smoke-test'])).toBe(wanted);
  });
});
