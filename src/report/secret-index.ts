import type { Needle } from './secret-forms.js';
import { HINTS, patternSpans, type Span } from './secret-patterns.js';

/** Finds secrets in text given as bytes: a slow exact search, and a fast scan that says where it is worth doing. */
export class SecretIndex {
  /** Longest text that is looked for as a whole. */
  readonly longestNeedle: number;
  private readonly needles: readonly Needle[];
  private readonly scan: Scan;
  private readonly names: readonly string[];

  /** @param names in latin1, as needles; they are never hidden, and neither is a part of them */
  constructor(needles: readonly Needle[], names: Iterable<string> = []) {
    this.needles = needles.flatMap((needle) => pieces(needle));
    this.names = [...names];
    this.longestNeedle = this.needles.reduce((longest, { bytes }) => Math.max(longest, bytes.length), 0);
    this.scan = new Scan([...HINTS, ...this.needles.map(({ bytes }) => bytes)]);
  }

  /** @returns what is to be hidden, in order, without overlaps */
  spans(bytes: string): readonly Span[] {
    const found = patternSpans(bytes);
    for (const needle of this.needles) {
      const { length } = needle.bytes;
      for (let at = bytes.indexOf(needle.bytes); at !== -1; at = bytes.indexOf(needle.bytes, at + 1)) {
        if (needle.wholeWord && (isWordAt(bytes, at - 1) || isWordAt(bytes, at + length))) continue;
        found.push({ start: at, end: at + length, from: at });
      }
    }
    return merged(found.filter(({ from, end }) => !this.isInName(bytes, from, end)));
  }

  /** @returns the secret whose beginning the text ends with: it was cut there; undefined when there is none */
  cutAtEnd(bytes: string): Span | undefined {
    for (let start = Math.max(0, bytes.length - this.longestNeedle); start <= bytes.length - SHORTEST_CUT; start += 1) {
      const tail = bytes.slice(start);
      const isWord = isWordAt(bytes, start - 1);
      const found = this.needles.some((one) => one.bytes.startsWith(tail) && !(one.wholeWord && isWord));
      if (found) return { start, end: bytes.length, from: start };
    }
    return undefined;
  }

  /** @returns whether the place is part of a name that the compose files use, where the text has the whole of it */
  private isInName(bytes: string, from: number, end: number): boolean {
    const hit = bytes.slice(from, end);
    return this.names.some((name) => {
      for (let at = name.indexOf(hit); at !== -1; at = name.indexOf(hit, at + 1)) {
        const [start, last] = [from - at, from - at + name.length];
        if (start >= 0 && bytes.startsWith(name, start) && !isWordAt(bytes, start - 1) && !isWordAt(bytes, last)) {
          return true;
        }
      }
      return false;
    });
  }

  /** @returns where in the bytes a secret may be, or -1 when there is none up to `end` */
  suspect(buffer: Buffer, start: number, end: number): number {
    return this.scan.find(buffer, start, end);
  }
}

/** The mask has one length, whatever it stands for. */
export const MASK = '***';

/** @returns the text with every span masked */
export function masked(bytes: string, spans: readonly Span[]): string {
  if (spans.length === 0) return bytes;
  let text = '';
  let at = 0;
  for (const { start, end } of spans) {
    text += bytes.slice(at, start) + MASK;
    at = end;
  }
  return text + bytes.slice(at);
}

/** Fewer characters at the end of a cut text are no trace of a secret. */
const SHORTEST_CUT = 3;

/** A needle longer than the stream keeps back at a cut is looked for in pieces. */
const LONGEST_PIECE = 4096;

function pieces(needle: Needle): readonly Needle[] {
  if (needle.bytes.length <= LONGEST_PIECE) return [needle];
  const count = Math.ceil(needle.bytes.length / LONGEST_PIECE);
  const size = Math.ceil(needle.bytes.length / count);
  return Array.from({ length: count }, (_, index) => ({
    bytes: needle.bytes.slice(index * size, (index + 1) * size),
    wholeWord: false,
  }));
}

function isWordAt(bytes: string, index: number): boolean {
  return index >= 0 && index < bytes.length && /[A-Za-z0-9]/.test(bytes.charAt(index));
}

function merged(spans: Span[]): readonly Span[] {
  const result: { start: number; end: number; from: number }[] = [];
  for (const span of spans.sort((a, b) => a.start - b.start || b.end - a.end)) {
    const last = result.at(-1);
    if (last !== undefined && span.start <= last.end) {
      last.end = Math.max(last.end, span.end);
      last.from = Math.min(last.from, span.from);
    } else {
      result.push({ ...span });
    }
  }
  return result;
}

/**
 * Looks for many words at once without regard to case, skipping bytes that can begin none (Wu and Manber, 1994, with blocks
 * of two bytes). A log of gigabytes passes through here; a regular expression of a hundred words is ten times slower.
 */
class Scan {
  private readonly window: number;
  private readonly shifts: Uint8Array;
  private readonly words = new Map<number, Uint8Array[]>();

  constructor(words: readonly string[]) {
    const folded = [...new Set(words.map((word) => foldedBytes(word).toString('latin1')))].map((word) =>
      Buffer.from(word, 'latin1'),
    );
    this.window = Math.min(255, ...folded.map((word) => word.length));
    this.shifts = new Uint8Array(65_536).fill(this.window - 1);
    for (const word of folded) {
      for (let last = 1; last < this.window; last += 1) {
        const block = blockOf(word, last);
        this.shifts[block] = Math.min(this.shifts[block] ?? 0, this.window - 1 - last);
      }
      const block = blockOf(word, this.window - 1);
      this.words.set(block, [...(this.words.get(block) ?? []), word]);
    }
  }

  find(buffer: Uint8Array, start: number, end: number): number {
    const { shifts, window } = this;
    let at = start + window - 1;
    while (at < end) {
      const block = ((FOLD[buffer[at - 1] ?? 0] ?? 0) << 8) | (FOLD[buffer[at] ?? 0] ?? 0);
      const shift = shifts[block] ?? 0;
      if (shift > 0) {
        at += shift;
        continue;
      }
      const begin = at - window + 1;
      if (begin >= start && this.isWord(buffer, begin, end, block)) return begin;
      at += 1;
    }
    return -1;
  }

  private isWord(buffer: Uint8Array, begin: number, end: number, block: number): boolean {
    for (const word of this.words.get(block) ?? []) {
      if (begin + word.length > end) continue;
      let index = 0;
      while (index < word.length && FOLD[buffer[begin + index] ?? 0] === word[index]) index += 1;
      if (index === word.length && (word[0] !== COLON || isUrlWithUser(buffer, begin, end, word))) return true;
    }
    return false;
  }
}

const COLON = 0x3a;
const AT_SIGN = 0x40;

/** Addresses are in every other line of a log; only one with an `@` before its next space can hold a password. */
function isUrlWithUser(buffer: Uint8Array, begin: number, end: number, word: Uint8Array): boolean {
  if (word.length !== 3) return true;
  const last = Math.min(end, begin + 1_400);
  for (let at = begin + 3; at < last; at += 1) {
    const byte = buffer[at] ?? 0;
    if (byte === AT_SIGN) return true;
    if (byte <= 0x20) return false;
  }
  return false;
}

/** ASCII capitals as small letters. */
const FOLD = Uint8Array.from({ length: 256 }, (_, byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte));

function foldedBytes(word: string): Buffer {
  return Buffer.from(Buffer.from(word, 'latin1').map((byte) => FOLD[byte] ?? byte));
}

function blockOf(word: Uint8Array, last: number): number {
  return ((word[last - 1] ?? 0) << 8) | (word[last] ?? 0);
}
