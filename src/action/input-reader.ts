import { asProcedureError } from '../model/errors.js';
import { parseDuration, parseSize } from '../model/units.js';
import { inputSpec, type InputName } from './input-table.js';
import { nearest } from './nearest.js';

/** Longer than any procedure lasts, and well below what a Node timer can hold (24.8 days). */
const LONGEST_MS = 24 * 3_600_000;

/** What is wrong with one input, and the value it should have. */
export interface InputProblem {
  readonly input: string;
  readonly message: string;
}

/** Reads inputs as typed values and collects what is wrong with them, so that a person sees everything at once. */
export class InputReader {
  readonly problems: InputProblem[] = [];

  constructor(private readonly read: (name: string) => string) {}

  problem(input: string, message: string): void {
    this.problems.push({ input, message });
  }

  /** @returns the text as given or the table's default; undefined when there is neither */
  text(name: InputName): string | undefined {
    const given = this.read(name).trim();
    return given === '' ? inputSpec(name).default : given;
  }

  /** @returns the text when `problemOf` finds nothing wrong with it */
  checked(name: InputName, problemOf: (text: string) => string | undefined): string | undefined {
    const text = this.text(name);
    const problem = text === undefined ? undefined : problemOf(text);
    if (problem === undefined) return text;
    this.problem(name, problem);
    return undefined;
  }

  /** YAML 1.2 booleans, as @actions/core's getBooleanInput has them. */
  flag(name: InputName): boolean {
    const text = this.text(name) ?? 'false';
    if (/^(true|True|TRUE)$/.test(text)) return true;
    if (!/^(false|False|FALSE)$/.test(text)) this.problem(name, `"${text}" is neither true nor false`);
    return false;
  }

  choice<T extends string>(name: InputName, allowed: readonly T[]): T | undefined {
    const text = this.text(name);
    if (text === undefined) {
      this.problem(name, `is missing; give one of ${allowed.join(', ')}`);
      return undefined;
    }
    const found = allowed.find((candidate) => candidate === text);
    if (found === undefined) this.problem(name, unknownWord(text, allowed));
    return found;
  }

  /** @returns milliseconds; 0 after a problem, or undefined when nothing was given and there is no default */
  duration(name: InputName, leastMs = 0, mostMs = LONGEST_MS): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    return this.attempt(name, () => {
      const ms = parseDuration(text);
      if (ms > mostMs) this.problem(name, `"${text}" is longer than ${mostMs / 3_600_000}h`);
      if (ms < leastMs) this.problem(name, `"${text}" is shorter than ${leastMs / 1_000}s`);
      return ms;
    });
  }

  /** @returns bytes; 0 after a problem */
  size(name: InputName): number {
    const text = this.text(name);
    return text === undefined ? 0 : this.attempt(name, () => parseSize(text));
  }

  /** A whole number within bounds. */
  count(name: InputName, least: number, most: number): number {
    const text = this.text(name) ?? '';
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    this.problem(name, `"${text}" is not a whole number from ${least} to ${most}`);
    return least;
  }

  /** Separated by commas or line ends. */
  list(name: InputName): readonly string[] {
    return split(this.text(name), /[,\n\r]/);
  }

  /** Separated by line ends alone: a regular expression may hold a comma. */
  lines(name: InputName): readonly string[] {
    return split(this.text(name), /[\n\r]/);
  }

  private attempt(name: InputName, read: () => number): number {
    try {
      return read();
    } catch (thrown) {
      const error = asProcedureError(thrown);
      if (error.code !== 'E_INPUT') throw error;
      this.problem(name, `${error.message}. ${error.next}`);
      return 0;
    }
  }
}

/** @returns what to say about a word that is none of the allowed ones */
export function unknownWord(text: string, allowed: readonly string[]): string {
  const near = nearest(text, allowed);
  return `"${text}" is none of ${allowed.join(', ')}${near === undefined ? '' : `; did you mean ${near}?`}`;
}

function split(text: string | undefined, separator: RegExp): readonly string[] {
  return (text ?? '')
    .split(separator)
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
