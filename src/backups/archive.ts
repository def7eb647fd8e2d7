import { createHash, type Hash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { Transform, type Readable, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createGunzip, gzip } from 'node:zlib';
import { extract } from 'tar-stream';

/**
 * Fast and good enough: how long a service is paused hangs on it. Level 1 takes 41 MB/s of what cannot be compressed and
 * over 1 GB/s of what can be well (measured on 2 cores, Node 20); level 6 takes a fifth to two thirds of that.
 */
const GZIP_LEVEL = 1;

/** A tar archive ends with two blocks of zeros (POSIX, ustar). */
const TRAILER_BYTES = 1_024;

/** What an archive came to: the file, and the tar in it. */
export interface ArchiveSum {
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly tarBytes: number;
  readonly tarSha256: string;
}

/** Compresses a tar archive into a new file that only its owner can read, in constant memory; on disk when it resolves. */
export async function writeArchive(file: string, tar: Readable, signal: AbortSignal): Promise<ArchiveSum> {
  const inner = new Meter();
  const outer = new Meter();
  await pipeline(tar, inner, inMembers, outer, createWriteStream(file, { flags: 'wx', mode: 0o600 }), { signal });
  const handle = await open(file, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
  return sumOf(inner, outer);
}

/**
 * Compresses on all cores: gzip members one after the other are a gzip file (RFC 1952, 2.2), for `tar xzf` and the engine as
 * well. In memory are at most as many members as there are cores.
 */
async function* inMembers(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const under: Promise<Buffer>[] = [];
  for await (const member of inPieces(source, MEMBER_BYTES)) {
    const compressing = compress(member, { level: GZIP_LEVEL });
    compressing.catch(() => undefined); // awaited below, maybe after another one has failed
    under.push(compressing);
    if (under.length >= CORES) yield (await under.shift()) ?? Buffer.alloc(0);
  }
  for (const member of under) yield await member;
}

const compress = promisify<Buffer, { readonly level: number }, Buffer>(gzip);
const MEMBER_BYTES = 4 * 1024 * 1024;
/** Node compresses in four threads unless it is told otherwise. */
const CORES = Math.min(4, availableParallelism());

async function* inPieces(source: AsyncIterable<Buffer>, bytes: number): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let length = 0;
  for await (const part of source) {
    parts.push(part);
    length += part.length;
    if (length < bytes) continue;
    yield Buffer.concat(parts);
    parts = [];
    length = 0;
  }
  if (length > 0) yield Buffer.concat(parts);
}

/** Reads an archive back to its end. @throws what is wrong with it @returns also how many entries it has */
export async function readArchive(
  file: string,
  signal: AbortSignal,
): Promise<ArchiveSum & { readonly entries: number }> {
  const inner = new Meter();
  const outer = new Meter();
  const reader = extract();
  let entries = 0;
  const reading = (async () => {
    for await (const entry of reader) {
      entries += 1;
      entry.resume();
    }
  })();
  await Promise.all([pipeline(createReadStream(file), outer, createGunzip(), inner, reader, { signal }), reading]);
  if (!inner.endsInZeros) throw new Error('the tar archive has no end');
  return { ...sumOf(inner, outer), entries };
}

function sumOf(inner: Meter, outer: Meter): ArchiveSum {
  return { sizeBytes: outer.bytes, sha256: outer.digest(), tarBytes: inner.bytes, tarSha256: inner.digest() };
}

/** Lets bytes pass, and counts and sums them. */
class Meter extends Transform {
  bytes = 0;
  private readonly hash: Hash = createHash('sha256');
  private last: Buffer = Buffer.alloc(0);

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.bytes += chunk.length;
    this.hash.update(chunk);
    const joined = chunk.length >= TRAILER_BYTES ? chunk : Buffer.concat([this.last, chunk]);
    this.last = Buffer.from(joined.subarray(-TRAILER_BYTES));
    done(null, chunk);
  }

  get endsInZeros(): boolean {
    return this.last.length === TRAILER_BYTES && this.last.every((byte) => byte === 0);
  }

  digest(): string {
    return this.hash.digest('hex');
  }
}
