/** An engine's event or reading is a few KiB; what is longer is no such thing. */
const LINE_LIMIT = 4 * 1024 * 1024;

/** The JSON values of a stream that has one a line. Ends with the stream; what breaks it is thrown. */
export async function* jsonLines(stream: NodeJS.ReadableStream): AsyncGenerator {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (;;) {
      const end = rest.indexOf(0x0a);
      if (end < 0) break;
      const line = rest.subarray(0, end).toString('utf8').trim();
      rest = rest.subarray(end + 1);
      if (line !== '') yield JSON.parse(line) as unknown;
    }
    if (rest.length > LINE_LIMIT) throw new Error('the engine sent a line without an end');
  }
  const last = rest.toString('utf8').trim();
  if (last !== '') yield JSON.parse(last) as unknown;
}
