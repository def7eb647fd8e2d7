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
  private payloadLeft = 0;
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
    this.payloadLeft = this.header.readUInt32BE(4);
    this.headerBytes = 0;
    return true;
  }

  /**
   * Moves a payload to what is kept of its chunk already: a frame is a line, and a piece of its own for each of them makes
   * more garbage than the log is long.
   * @returns bytes kept
   */
  private keep(chunk: Buffer, from: number, end: number, kept: number): number {
    if (this.systemError === undefined) {
      chunk.copyWithin(kept, from, end);
      return kept + end - from;
    }
    if (this.systemError.length < ERROR_LIMIT) this.systemError += chunk.toString('utf8', from, end);
    return kept;
  }
}
