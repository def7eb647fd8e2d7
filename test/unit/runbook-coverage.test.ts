import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { INPUTS } from '../../src/action/input-table.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TEXT = readFileSync(join(ROOT, 'docs/runbook-coverage.md'), 'utf8');
const OPEN = '## Not carried yet';

interface Row {
  readonly item: string;
  readonly cells: readonly string[];
}

/** Rows of every table of a text, without heads and rules. */
function rowsOf(text: string): readonly Row[] {
  const lines = text.split('\n').filter((line) => line.startsWith('|'));
  const cells = lines.map((line) =>
    line
      .slice(1, line.lastIndexOf('|'))
      .split(' | ')
      .map((cell) => cell.trim()),
  );
  return cells
    .filter(([first = '']) => first !== 'Runbook' && !/^-+/.test(first))
    .map(([item = '', ...rest]) => ({ item, cells: rest }));
}

/** @returns what is wrong with a row; undefined when it names an input, a step and a test that exist */
function problemOf({ item, cells }: Row): string | undefined {
  const [input = '', step = '', test = ''] = cells.map((cell) => cell.replaceAll('`', ''));
  if (cells.length !== 3) return `${item}: a row has an input, a step and a test`;
  if (!INPUTS.some(({ name }) => name === input)) return `${item}: there is no input "${input}"`;
  if (!/^src\/.+\.ts$/.test(step) || !existsSync(join(ROOT, step))) return `${item}: there is no step "${step}"`;
  const [file = '', title = ''] = test.split(' > ');
  if (!/^test\/.+\.test\.ts$/.test(file) || !existsSync(join(ROOT, file))) return `${item}: there is no test "${file}"`;
  const titles = [...readFileSync(join(ROOT, file), 'utf8').matchAll(TITLE)].map(([, , found = '']) => found);
  if (title.length > 8 && titles.some((one) => one.includes(title))) return undefined;
  return `${item}: ${file} has no test "${title}"`;
}

const TITLE = /\bit(?:\.each(?:<[^>]*>)?\([^]*?\))?\(\s*(['"`])((?:\\.|(?!\1)[^])*?)\1/g;

describe('what of the runbook is carried out', () => {
  const [carried = '', open = ''] = TEXT.split(OPEN);

  it('names an input, a step and a test for every row', () => {
    const rows = rowsOf(carried);
    expect(rows.length).toBeGreaterThan(60);
    expect(rows.flatMap((row) => problemOf(row) ?? [])).toEqual([]);
  });

  it('says of the rest what is missing', () => {
    const rows = rowsOf(open);
    expect(rows.filter(({ cells }) => cells.length !== 1 || cells[0] === '')).toEqual([]);
    const items = rowsOf(carried).map(({ item }) => item);
    expect(rows.filter(({ item }) => items.includes(item))).toEqual([]);
  });

  it('sees what is not there', () => {
    const right = ['`watch`', '`src/steps/verify.ts`', '`test/unit/runbook-coverage.test.ts` > sees what is not there'];
    const change = (index: number, cell: string): Row => ({ item: 'x', cells: right.with(index, cell) });
    expect(problemOf({ item: 'x', cells: right })).toBeUndefined();
    expect(problemOf({ item: 'x', cells: right.slice(0, 2) })).toContain('an input, a step and a test');
    expect(problemOf(change(0, '`watched`'))).toContain('no input "watched"');
    expect(problemOf(change(1, '`src/steps/none.ts`'))).toContain('no step');
    expect(problemOf(change(2, '`test/unit/none.test.ts` > sees what'))).toContain('no test');
    expect(problemOf(change(2, '`test/unit/runbook-coverage.test.ts` > sees nothing'))).toContain('has no test');
  });
});
