import { asProcedureError, ProcedureError } from '../model/errors.js';
import { SHELL_OPTIONS, type ShellOptionName, type ShellOptions } from '../model/shell-command.js';
import { parseDuration } from '../model/units.js';

/**
 * @param given what was typed, by option
 * @throws ProcedureError E_INPUT
 */
export function readShellOptions(given: ReadonlyMap<string, string>): ShellOptions {
  const text = (name: ShellOptionName): string =>
    given.get(name) ?? SHELL_OPTIONS.find((spec) => spec.name === name)?.default ?? '';
  return {
    limit: count('limit', text('limit')),
    waitMs: duration('wait', text('wait')),
    yes: flag('yes', text('yes')),
  };
}

function count(name: string, text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw wrong(name, `"${text}" is not a number from 1 to 9999`);
}

function duration(name: string, text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    throw wrong(name, asProcedureError(error).message);
  }
}

function flag(name: string, text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  throw wrong(name, `"${text}" is neither true nor false`);
}

function wrong(name: string, problem: string): ProcedureError {
  return new ProcedureError('E_INPUT', `--${name}: ${problem}`, { next: 'Correct it. Nothing was changed.' });
}
