import { Transform, type TransformCallback } from 'node:stream';

const HEADER_BYTES = 8;
/** `3` carries an error of the engine itself (moby, pkg/stdcopy). */
const SYSTEM_ERROR = 3;
const ERROR_LIMIT = 4_096;

/**
 * Takes the engine's framing out of a multiplexed stream: frames of a header (stream, three zeros, length as 32 bits,
 * big-endian) and that many bytes (Engine API, "Attach to a container", Stream format). stdout and stderr come out
 * together, in the engine's order. Nothing is kept but the header at hand, whatever size frames and chunks have.
 *
 * A stream that breaks off in the middle of a frame ends there: so it does when its container is removed.
 */
export class FrameStripper extends Transform {
  private readonly header = Buffer.alloc(HEADER_BYTES);
  private headerBytes = 0;
  /** Of the frame at hand, the piece that is being looked at included. */
  protected payloadLeft = 0;
  /** The stream of the frame at hand: 1 is stdout, 2 is stderr. */
  protected stream = 0;
  private systemError: string | undefined;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    let at = 0;
    let kept = 0;
    while (at < chunk.length) {
      if (this.payloadLeft > 0) {
        const end = Math.min(chunk.length, at + this.payloadLeft);
        kept = this.keep(chunk, at, end, kept);
        this.payloadLeft -= end - at;
        at = end;
      } else {
        const end = Math.min(chunk.length, at + HEADER_BYTES - this.headerBytes);
        chunk.copy(this.header, this.headerBytes, at, end);
        this.headerBytes += end - at;
        at = end;
        if (this.headerBytes === HEADER_BYTES && !this.readHeader()) {
          done(new Error('the engine sent something that is not in frames'));
          return;
        }
      }
      if (this.systemError !== undefined && this.payloadLeft === 0 && this.headerBytes === 0) {
        this.pass(chunk, kept);
        done(new Error(this.systemError));
        return;
      }
    }
    this.pass(chunk, kept);
    done();
  }

  private pass(chunk: Buffer, kept: number): void {
    if (kept > 0) this.push(chunk.subarray(0, kept));
  }

  private readHeader(): boolean {
    const [stream = 0, ...zeros] = this.header.subarray(0, 4);
    if (stream > SYSTEM_ERROR || zeros.some((byte) => byte !== 0)) return false;
    if (stream === SYSTEM_ERROR) this.systemError = '';
    this.stream = stream;
    this.payloadLeft = this.header.readUInt32BE(4);
    this.headerBytes = 0;
    return true;
  }

  /**
   * Moves a payload to what is kept of its chunk already: a frame is a line, and a piece of its own for each of them makes
   * more garbage than the log is long.
   * @returns bytes kept
   */
  protected keep(chunk: Buffer, from: number, end: number, kept: number): number {
    if (this.systemError === undefined) {
      chunk.copyWithin(kept, from, end);
      return kept + end - from;
    }
    if (this.systemError.length < ERROR_LIMIT) this.systemError += chunk.toString('utf8', from, end);
    return kept;
  }
}

const LF = 0x0a;
/** `2026-11-30T18:40:17.053916601Z` and a space: always as long (moby, jsonmessage.RFC3339NanoFixed). */
const TIMESTAMP_BYTES = 31;
/** What one stream may write while a line of the other has no end. */
const HELD_LIMIT = 1024 * 1024;

/**
 * The frames of a log as whole lines. Docker keeps a line of more than 16 KiB in pieces, each a frame with a time stamp of
 * its own, and a line of the other stream may come between two of them (moby, daemon/logger/copier.go; measured on 26.1.5).
 * A secret at such a place would be cut in two.
 */
export class LogFrames extends FrameStripper {
  /** The streams whose last frame was not the end of a line. */
  private readonly inLine = new Set<number>();
  /** The stream of the line that was begun last and has no end yet. */
  private open: number | undefined;
  private held: Buffer[] = [];
  private heldBytes = 0;
  private atFrameStart = true;
  /** Bytes of a time stamp that are to be left out; 0 when it is over. */
  private timestampLeft = 0;

  constructor(private readonly timestamps: boolean) {
    super();
  }

  override _flush(done: TransformCallback): void {
    for (const bytes of this.held) this.push(bytes);
    done();
  }

  protected override keep(chunk: Buffer, from: number, end: number, kept: number): number {
    if (this.stream === SYSTEM_ERROR) return super.keep(chunk, from, end, kept);
    const isLast = end - from === this.payloadLeft;
    const begin = this.afterTimestamp(chunk, from, end);
    if (isLast) this.noteEnd(chunk[end - 1] === LF);
    if (this.open !== undefined && this.open !== this.stream) {
      this.held.push(Buffer.from(chunk.subarray(begin, end)));
      this.heldBytes += end - begin;
      return this.heldBytes > HELD_LIMIT ? this.release(chunk, kept) : kept;
    }
    const now = super.keep(chunk, begin, end, kept);
    this.open = isLast && !this.inLine.has(this.stream) ? undefined : this.stream;
    return this.open === undefined && this.held.length > 0 ? this.release(chunk, now) : now;
  }

  /** @returns where the piece goes on after the time stamp of a frame that continues a line */
  private afterTimestamp(chunk: Buffer, from: number, end: number): number {
    if (this.atFrameStart) this.timestampLeft = this.timestamps && this.inLine.has(this.stream) ? TIMESTAMP_BYTES : 0;
    this.atFrameStart = false;
    const begin = Math.min(end, from + this.timestampLeft);
    this.timestampLeft -= begin - from;
    return begin;
  }

  private noteEnd(isLineEnd: boolean): void {
    this.atFrameStart = true;
    if (isLineEnd) this.inLine.delete(this.stream);
    else this.inLine.add(this.stream);
  }

  /** Hands on what is kept and what was held. @returns bytes kept */
  private release(chunk: Buffer, kept: number): number {
    if (kept > 0) this.push(Buffer.from(chunk.subarray(0, kept)));
    for (const bytes of this.held) this.push(bytes);
    const last = this.held.at(-1);
    this.open = last?.at(-1) === LF ? undefined : [...this.inLine].find((stream) => stream !== this.open);
    this.held = [];
    this.heldBytes = 0;
    return 0;
  }
}
