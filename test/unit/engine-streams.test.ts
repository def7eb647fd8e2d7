import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameStripper, LogFrames } from '../../src/engine/frames.js';
import { jsonLines } from '../../src/engine/json-lines.js';
import { filesInTar, insideVolume, tarWithFiles } from '../../src/engine/tar.js';

/** A frame as the engine writes it: stream, three zeros, length, bytes. */
function frame(stream: number, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt8(stream, 0);
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

/** Cuts bytes at the given places, wherever they fall. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end)).filter((chunk) => chunk.length > 0);
}

const strip = async (chunks: readonly Buffer[]): Promise<Buffer> =>
  buffer(Readable.from(chunks).pipe(new FrameStripper()));

describe('FrameStripper', () => {
  const frames = fc.array(fc.tuple(fc.constantFrom(0, 1, 2), fc.uint8Array({ maxLength: 60 })), { maxLength: 12 });

  it('gives the payloads in order, however the chunks are cut', async () => {
    await fc.assert(
      fc.asyncProperty(frames, fc.array(fc.nat(1_000), { maxLength: 30 }), async (written, places) => {
        const stream = Buffer.concat(written.map(([kind, payload]) => frame(kind, payload)));
        const wanted = Buffer.concat(written.map(([, payload]) => payload));
        expect(await strip(cut(stream, places))).toEqual(wanted);
      }),
    );
  });

  it('ends where a broken-off stream ends', async () => {
    await fc.assert(
      fc.asyncProperty(frames, fc.nat(1_000), async (written, place) => {
        const stream = Buffer.concat(written.map(([kind, payload]) => frame(kind, payload)));
        const wanted = Buffer.concat(written.map(([, payload]) => payload));
        const got = await strip([stream.subarray(0, place % (stream.length + 1))]);
        expect(wanted.subarray(0, got.length)).toEqual(got);
      }),
    );
  });

  it.each([[Buffer.from('plain text, no frames')], [Buffer.from([1, 0, 1, 0, 0, 0, 0, 1, 65])]])(
    'refuses what is not in frames: %j',
    async (bytes) => {
      await expect(strip([bytes])).rejects.toThrow('not in frames');
    },
  );

  it("throws the engine's own error", async () => {
    const frames = Buffer.concat([frame(1, Buffer.from('a line\n')), frame(3, Buffer.from('log is corrupt'))]);
    await expect(strip([frames.subarray(0, 20), frames.subarray(20)])).rejects.toThrow('log is corrupt');
  });
});

describe('LogFrames', () => {
  const AT = '2026-11-30T18:40:17.053916601Z ';
  const text = async (chunks: readonly Buffer[], timestamps = true): Promise<string> =>
    (await buffer(Readable.from(chunks).pipe(new LogFrames(timestamps)))).toString();

  it('joins a line that Docker keeps in pieces, also with lines of the other stream between them', async () => {
    const written: readonly (readonly [number, string])[] = [
      [1, `${AT}first\n`],
      [1, `${AT}my sec`],
      [2, `${AT}error one\n`],
      [1, `${AT}ret is`],
      [2, `${AT}error `],
      [1, `${AT} long\n`],
      [2, `${AT}two\n`],
      [1, `${AT}last`],
    ];
    const bytes = Buffer.concat(written.map(([stream, payload]) => frame(stream, Buffer.from(payload))));
    const wanted = `${AT}first\n${AT}my secret is long\n${AT}error one\n${AT}error two\n${AT}last`;
    for (let at = 0; at <= bytes.length; at += 1) expect(await text(cut(Buffer.from(bytes), [at]))).toBe(wanted);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(1_000), { maxLength: 30 }), async (places) => {
        expect(await text(cut(Buffer.from(bytes), places))).toBe(wanted);
      }),
    );
  });

  it('has every line of both streams once, whole, and in the order of its stream', async () => {
    const line = fc.array(fc.stringMatching(/^[a-z ]{1,8}$/), { minLength: 1, maxLength: 4 });
    const lines = fc.array(fc.tuple(fc.constantFrom(1, 2), line), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(lines, fc.array(fc.nat(99), { maxLength: 20 }), async (written, order) => {
        const queues = new Map(
          [1, 2].map((stream) => [
            stream,
            written.flatMap(([of, parts]) =>
              of === stream ? parts.map((part, index) => (index === parts.length - 1 ? `${part}\n` : part)) : [],
            ),
          ]),
        );
        const frames: Buffer[] = [];
        while ([...queues.values()].some((queue) => queue.length > 0)) {
          const stream = (order.shift() ?? 0) % 2 === 0 ? 1 : 2;
          const from = queues.get(stream)?.length === 0 ? 3 - stream : stream;
          frames.push(frame(from, Buffer.from(queues.get(from)?.shift() ?? '')));
        }
        const got = (await text([Buffer.concat(frames)], false)).split('\n').slice(0, -1);
        expect(got.toSorted()).toEqual(written.map(([, parts]) => parts.join('')).toSorted());
      }),
    );
  });

  it('holds back no more than a megabyte', async () => {
    const other = Buffer.alloc(600_000, 'e');
    const bytes = [
      frame(1, Buffer.from(`${AT}begun `)),
      frame(2, other),
      frame(2, other),
      frame(1, Buffer.from(`${AT}end`)),
    ];
    const log = new LogFrames(true);
    let got = 0;
    log.on('data', (chunk: Buffer) => (got += chunk.length));
    for (const chunk of bytes.slice(0, 3)) log.write(chunk);
    await new Promise((resolve) => setImmediate(resolve));
    expect(got).toBeGreaterThan(1_200_000);
  });
});

describe('jsonLines', () => {
  it('gives every value once, however the chunks are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.dictionary(fc.string(), fc.string({ unit: 'binary' }), { maxKeys: 3 })),
        fc.array(fc.nat(2_000), { maxLength: 20 }),
        fc.constantFrom('\n', '\r\n'),
        async (values, places, newline) => {
          const bytes = Buffer.from(values.map((value) => JSON.stringify(value) + newline).join(''));
          const got: unknown[] = [];
          for await (const value of jsonLines(Readable.from(cut(bytes, places)))) got.push(value);
          expect(JSON.stringify(got)).toBe(JSON.stringify(values));
        },
      ),
    );
  });
});

describe('the archive of a record', () => {
  it('comes back as it was written, with folders and file for root only', async () => {
    const archive = await tarWithFiles(new Map([['releases/web/one.json', Buffer.from('{}')]]));
    expect([...(await filesInTar(Readable.from([archive])))]).toEqual([['releases/web/one.json', Buffer.from('{}')]]);
    const modes = [0, 1, 2].map((block) => archive.toString('latin1', block * 512 + 100, block * 512 + 107));
    expect(modes.map((mode) => Number.parseInt(mode, 8))).toEqual([0o700, 0o700, 0o600]);
  });

  it.each(['../x', '/etc/passwd', 'a/../../x', '..', 'a\0b'])('is refused for the path %j', (path) => {
    expect(() => insideVolume(path)).toThrow(/leads out/);
  });

  it.each([
    ['a/b/c', 'a/b/c'],
    ['a//b/', 'a/b'],
    ['', '.'],
    ['a/../b', 'b'],
  ])('takes the path %j', (path, plain) => {
    expect(insideVolume(path)).toBe(plain);
  });
});
