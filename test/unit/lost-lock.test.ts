import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { failureOf, ProcedureError, type ErrorCode } from '../../src/model/errors.js';
import { readSources } from '../support/source-imports.js';

/** A run that lost its lock has one end, whatever step it is in. */
describe('a lost lock', () => {
  const failure = (code: ErrorCode): ProcedureError => new ProcedureError(code, 'what happened', { next: 'Do that.' });

  it('is no failure that a step makes a result of', () => {
    expect(() => failureOf(failure('E_FENCED'))).toThrow('what happened');
    for (const thrown of [failure('E_CANCELLED'), failure('E_ENGINE')]) expect(failureOf(thrown)).toBe(thrown);
    expect(failureOf(new Error('other'))).toMatchObject({ code: 'E_INTERNAL', message: 'other' });
  });

  it('is known by its code only where a run ends and is reported', () => {
    const above = /^(?:steps|procedures|run|shell)\//;
    const paths = readSources().flatMap(({ path }) => (above.test(path) ? [path] : []));
    const text = (path: string): string => readFileSync(new URL(`../../src/${path}`, import.meta.url), 'utf8');
    expect(paths.filter((path) => text(path).includes("'E_FENCED'")).sort()).toEqual([
      'procedures/run-procedure.ts',
      'steps/deployment.ts',
      'steps/with-session.ts',
    ]);
  });
});
