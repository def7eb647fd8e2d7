import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { shortened } from '../model/shortened.js';
import type { Request } from '../model/request.js';

/** Longest line that is looked at; the rest of a longer one is passed over. */
const LINE_LIMIT = 16 * 1024;
const SAMPLE_CHARACTERS = 300;

/** The lines of a byte stream from its beginnings, in bounded memory. A log of the engine is redacted already. */
export async function* linesOf(stream: Readable): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + decoder.write(Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk)))).split('\n');
    rest = (lines.pop() ?? '').slice(0, LINE_LIMIT + 1);
    for (const line of lines) yield lookedAt(line);
  }
  if (rest !== '') yield lookedAt(rest);
}

function lookedAt(line: string): string {
  return line.slice(0, LINE_LIMIT);
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

/** @returns what a message shows of a line that was redacted before */
export function sampleOf(line: string): string {
  return shortened(line.trim(), SAMPLE_CHARACTERS);
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
    if (samples.length < 5) samples.push(sampleOf(line));
  }
  return { errors, lines, samples };
}
