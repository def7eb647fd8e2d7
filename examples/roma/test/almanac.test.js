import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { isDate, onThisDay, parseAlmanac } from '../src/almanac.js';

const almanac = parseAlmanac('03-01 | 2000 | b\n# note\n\n01-15 | 44 BC | a\n03-01 | 2001 | c\n');

test('entries come in the order of the calendar', () => {
  assert.deepEqual(
    almanac.map((entry) => entry.text),
    ['a', 'b', 'c'],
  );
});

test('a line that cannot be read is named', () => {
  assert.throws(() => parseAlmanac('01-15 | 1900 | a\n02-30 | 1900 | b'), /line 2/);
  assert.throws(() => parseAlmanac('# nothing'), /no entries/);
});

test('a day without an entry shows the last one before it, over the turn of the year too', () => {
  const texts = (date) => onThisDay(almanac, date).map((entry) => entry.text);
  assert.deepEqual(texts('03-01'), ['b', 'c']);
  assert.deepEqual(texts('02-28'), ['a']);
  assert.deepEqual(texts('01-01'), ['b', 'c']);
});

test('dates', () => {
  assert.ok(isDate('02-29'));
  for (const wrong of ['02-30', '13-01', '1-1', '', undefined]) assert.ok(!isDate(wrong));
});

test('the almanac that ships can be read', () => {
  parseAlmanac(readFileSync(new URL('../data/onthisday.txt', import.meta.url), 'utf8'));
});
