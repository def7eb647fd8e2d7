import { describe, expect, it } from 'vitest';
import { blamesRelease, ERROR_CODES, type ErrorCode } from '../../src/model/errors.js';

/** Everything that does not stand here says nothing against a release. */
const BLAME: readonly ErrorCode[] = ['E_COMMAND', 'E_NOT_READY', 'E_VERIFICATION', 'E_WARNING_SIGN'];

describe('which errors mark a release bad', () => {
  it.each(Object.keys(ERROR_CODES))('%s', (code) => {
    expect(blamesRelease(code)).toBe((BLAME as readonly string[]).includes(code));
  });

  it.each(['E_OF_A_NEWER_VERSION', 'toString', ''])('not %j, which this version does not know', (code) => {
    expect(blamesRelease(code)).toBe(false);
  });
});
