import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { INPUTS } from '../../src/action/input-table.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TEXT = readFileSync(join(ROOT, 'docs/runbook-coverage.md'), 'utf8');

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
  if (!COLLECTED.test(file) || !existsSync(join(ROOT, file))) return `${item}: there is no test "${file}"`;
  const wrong =
    title.length > 8 ? problemWith(title, readFileSync(join(ROOT, file), 'utf8')) : `has no test "${title}"`;
  return wrong === undefined ? undefined : `${item}: ${file} ${wrong}`;
}

/** What vitest.config.mts collects. */
const COLLECTED = /^test\/(unit|engine|traffic|matrix|workflows)\/.+\.test\.ts$/;
const TITLE =
  /\bit(?:\.(?:concurrent|sequential))?(?:\.each(?:<[^>]*>)?\([^]*?\))?\(\s*(['"`])((?:\\.|(?!\1)[^])*?)\1/g;
/** A title says nothing when its test, or what is around it, does not run. */
const LEFT_OUT = /\b(?:it|test|describe|suite)(?:\.\w+)*\.(?:skip|todo|fails|skipIf|runIf|only)\b/;
const COMMENT = /\/\*[^]*?\*\/|^\s*\/\/.*$/gm;

/** @returns what is wrong with a title, or the beginning of one, in a test's source; undefined when one test has it, and runs */
function problemWith(title: string, source: string): string | undefined {
  const text = source.replaceAll(COMMENT, '');
  const left = LEFT_OUT.exec(text);
  if (left !== null) return `leaves tests out: ${left[0]}`;
  const titles = [...text.matchAll(TITLE)].map(([, , found = '']) => found).filter((one) => one.includes(title));
  if (titles.length === 0) return `has no test "${title}"`;
  return titles.length === 1 ? undefined : `has ${titles.length} tests "${title}"`;
}

describe('what of the runbook is carried out', () => {
  it('names an input, a step and a test for every row', () => {
    const rows = rowsOf(TEXT);
    expect(rows.length).toBeGreaterThan(60);
    expect(rows.flatMap((row) => problemOf(row) ?? [])).toEqual([]);
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
    expect(problemOf(change(2, '`test/unit/runbook-coverage.test.ts` > sees'))).toContain('has no test');
    expect(problemOf(change(2, '`test/support/project.ts` > sees what'))).toContain('no test');
  });

  it('takes a title for a test only when exactly one test has it, and runs', () => {
    const test = (name: string, how = 'it'): string => `${how}('${name}', () => {});\n`;
    expect(problemWith('goes back', test('goes back when asked'))).toBeUndefined();
    expect(problemWith('goes back', test('goes back when asked', 'it.each([[1], [2]])'))).toBeUndefined();
    expect(problemWith('goes back', `// ${test('goes back')}`)).toContain('has no test');
    expect(problemWith('goes back', `/* ${test('goes back')} */`)).toContain('has no test');
    expect(problemWith('goes back', test('goes back') + test('goes back again'))).toContain('has 2 tests');
    for (const how of ['skip', 'todo', 'only']) {
      expect(problemWith('goes back', test('goes back', `it.${how}`))).toContain('leaves tests out');
      expect(problemWith('goes back', test('goes back') + test('other', `describe.${how}`))).toContain('leaves tests');
    }
  });
});
