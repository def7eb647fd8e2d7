import type { ByteFilter } from '../model/ports/progress.js';
import { masked, MASK, type SecretIndex } from './secret-index.js';

const LF = 0x0a;
/** A line longer than this is written in pieces. */
const LONGEST_LINE = 64 * 1024;
/** What is kept back at such a cut: longer than the longest needle and than the context of any pattern. */
const OVERLAP = 16 * 1024;
/** A private key in a log ends sooner than this, or it is none. */
const LONGEST_KEY_BLOCK = 64 * 1024;
const KEY_BEGINS = /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----/;
const KEY_ENDS = '-----END';

/**
 * Redacts a stream of bytes line by line in bounded memory. Lines without anything suspicious pass as the bytes they are,
 * whatever their encoding; of the others only the secret is replaced.
 */
export class RedactingStream implements ByteFilter {
  private carry: Buffer = Buffer.alloc(0);
  /** Inside a secret that was longer than a piece: what follows belongs to it up to the next delimiter. */
  private swallowing = false;
  /** Bytes seen of a private key whose end has not come yet; undefined outside of one. */
  private keyBytes: number | undefined;

  constructor(private readonly redactor: { readonly index: () => SecretIndex }) {}

  /** @returns what can be written now */
  push(chunk: Buffer): readonly Buffer[] {
    const index = this.redactor.index();
    const data = this.carry.length === 0 ? chunk : Buffer.concat([this.carry, chunk]);
    const lastEnd = data.lastIndexOf(LF) + 1;
    const out: Buffer[] = [];
    this.lines(index, data.subarray(0, lastEnd), out);
    this.carry = data.subarray(lastEnd);
    while (this.carry.length > LONGEST_LINE) this.piece(index, out);
    return out;
  }

  /** @returns the last line, when it has no end */
  end(): readonly Buffer[] {
    const out: Buffer[] = [];
    this.lines(this.redactor.index(), this.carry, out);
    this.carry = Buffer.alloc(0);
    return out;
  }

  /** @param block whole lines */
  private lines(index: SecretIndex, block: Buffer, out: Buffer[]): void {
    let clean = this.afterSwallowed(block);
    clean = this.afterKey(block, clean);
    let at = clean;
    for (;;) {
      const hit = index.suspect(block, at, block.length);
      if (hit === -1) break;
      const start = hit === 0 ? 0 : Math.max(clean, block.lastIndexOf(LF, hit - 1) + 1);
      const newline = block.indexOf(LF, hit);
      const end = newline === -1 ? block.length : newline;
      const line = block.toString('latin1', start, end);
      const spans = index.spans(line);
      at = end;
      if (spans.length > 0) {
        push(out, block.subarray(clean, start));
        out.push(Buffer.from(masked(line, spans), 'latin1'));
        clean = end;
      }
      if (KEY_BEGINS.test(line) && !line.includes(KEY_ENDS)) {
        const body = Math.min(block.length, end + 1);
        push(out, block.subarray(clean, body));
        out.push(Buffer.from(`${MASK}\n`));
        this.keyBytes = 0;
        clean = this.afterKey(block, body);
        at = clean;
      }
    }
    push(out, block.subarray(clean));
  }

  /** A long line up to a place where no secret is cut in two. */
  private piece(index: SecretIndex, out: Buffer[]): void {
    const begin = this.afterSwallowed(this.carry);
    const data = this.carry.subarray(begin);
    const line = data.toString('latin1');
    const spans = index.spans(line);
    let cut = Math.max(0, line.length - OVERLAP);
    for (const span of spans.toReversed()) if (span.from < cut && cut < span.end) cut = span.from;
    if (cut > 0) {
      out.push(
        Buffer.from(
          masked(
            line.slice(0, cut),
            spans.filter(({ end }) => end <= cut),
          ),
          'latin1',
        ),
      );
      this.carry = data.subarray(cut);
      return;
    }
    const [first] = spans;
    if (first === undefined) {
      this.carry = data;
      return;
    }
    out.push(Buffer.from(line.slice(0, first.start) + MASK, 'latin1'));
    this.swallowing = first.end === line.length;
    this.carry = data.subarray(first.end);
  }

  /** @returns where the bytes go on after a secret that began in an earlier piece */
  private afterSwallowed(block: Buffer): number {
    if (!this.swallowing) return 0;
    const end = block.findIndex(
      (byte) => byte <= 0x20 || byte === 0x22 || byte === 0x27 || byte === 0x2c || byte === 0x3b,
    );
    if (end === -1) return block.length;
    this.swallowing = false;
    return end;
  }

  /** @returns where the bytes go on after a private key that began before `start` */
  private afterKey(block: Buffer, start: number): number {
    if (this.keyBytes === undefined) return start;
    const end = block.indexOf(KEY_ENDS, start);
    if (end === -1) {
      this.keyBytes += block.length - start;
      if (this.keyBytes > LONGEST_KEY_BLOCK) this.keyBytes = undefined;
      return block.length;
    }
    this.keyBytes = undefined;
    return Math.max(start, block.lastIndexOf(LF, end) + 1);
  }
}

function push(out: Buffer[], bytes: Buffer): void {
  if (bytes.length > 0) out.push(bytes);
}
