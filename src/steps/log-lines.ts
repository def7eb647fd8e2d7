import type { Readable } from 'node:stream';
import type { Request } from '../model/request.js';

/** Longest line that is looked at; the rest of a longer one is passed over. */
const LINE_LIMIT = 16 * 1024;

/** The lines of a byte stream, in bounded memory. */
export async function* linesOf(stream: Readable): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of stream) {
    rest += Buffer.isBuffer(chunk) ? chunk.toString('utf8') : String(chunk);
    const lines = rest.split('\n');
    rest = (lines.pop() ?? '').slice(-LINE_LIMIT);
    for (const line of lines) yield line.slice(0, LINE_LIMIT);
  }
  if (rest !== '') yield rest;
}

/** Says whether a line of a log is an error line. */
export interface LineMatcher {
  test(line: string): boolean;
}

/** @returns what `error-patterns` match and `error-ignore` does not, without regard to case; undefined for no patterns */
export function errorMatcher({
  errorPatterns,
  errorIgnore,
}: Pick<Request, 'errorPatterns' | 'errorIgnore'>): LineMatcher | undefined {
  const wanted = anyOf(errorPatterns);
  const ignored = anyOf(errorIgnore);
  if (wanted === undefined) return undefined;
  return { test: (line) => wanted.test(line) && ignored?.test(line) !== true };
}

function anyOf(patterns: readonly string[]): RegExp | undefined {
  return patterns.length === 0 ? undefined : new RegExp(patterns.map((pattern) => `(?:${pattern})`).join('|'), 'i');
}

export interface ErrorCount {
  readonly errors: number;
  readonly lines: number;
  /** The first few of them. */
  readonly samples: readonly string[];
}

/** Counts the lines that match; memory does not grow with the log. */
export async function countErrors(stream: Readable, matcher: LineMatcher | undefined): Promise<ErrorCount> {
  let errors = 0;
  let lines = 0;
  const samples: string[] = [];
  for await (const line of linesOf(stream)) {
    lines += 1;
    if (matcher?.test(line) !== true) continue;
    errors += 1;
    if (samples.length < 5) samples.push(line.trim().slice(0, 300));
  }
  return { errors, lines, samples };
}
