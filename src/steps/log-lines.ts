import type { Readable } from 'node:stream';

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

/** @returns one expression for all patterns, without regard to case; undefined for none */
export function matcherOf(patterns: readonly string[]): RegExp | undefined {
  return patterns.length === 0 ? undefined : new RegExp(patterns.map((pattern) => `(?:${pattern})`).join('|'), 'i');
}

export interface ErrorCount {
  readonly errors: number;
  readonly lines: number;
  /** The first few of them. */
  readonly samples: readonly string[];
}

/** Counts the lines that match; memory does not grow with the log. */
export async function countErrors(stream: Readable, matcher: RegExp | undefined): Promise<ErrorCount> {
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
