import { chmod, mkdir, open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { ProcedureError } from '../model/errors.js';
import type { EvidenceStore } from '../model/ports/progress.js';
import { RedactingStream } from './redact-stream.js';
import type { SecretRedactor } from './redact.js';

/**
 * Evidence of one run as files that only their owner can read.
 * @param directory absolute; made when the first file is
 */
export function createEvidenceStore(directory: string, redactor: SecretRedactor): EvidenceStore {
  let made: Promise<void> | undefined;
  const openFile = async (name: string): Promise<FileHandle> => {
    made ??= makeDirectory(directory);
    await made;
    const file = await open(join(directory, fileName(name)), 'w', 0o600);
    // The mode of `open` counts only for a new file.
    await file.chmod(0o600);
    return file;
  };
  const store = async <T>(name: string, body: (file: FileHandle) => Promise<T>): Promise<T> => {
    try {
      const file = await openFile(name);
      try {
        return await body(file);
      } finally {
        await file.close();
      }
    } catch (thrown) {
      throw evidenceError(directory, name, thrown);
    }
  };
  return {
    path: directory,
    fileOf: (name) => join(directory, fileName(name)),
    stream: (name, bytes, signal) =>
      store(name, (file) => writeStream(file, bytes, new RedactingStream(redactor), signal)),
    json: (name, value) =>
      store(name, async (file) => {
        await file.writeFile(`${JSON.stringify(redactor.json(value), null, 2)}\n`);
      }),
  };
}

/** Ends with the bytes or with the signal; what came before the signal is kept, and the file says that it was cut. */
async function writeStream(
  file: FileHandle,
  bytes: AsyncIterable<Buffer>,
  stream: RedactingStream,
  signal: AbortSignal | undefined,
): Promise<number> {
  let written = 0;
  const write = async (parts: readonly Buffer[]): Promise<void> => {
    if (parts.length === 0) return;
    const { bytesWritten } = await file.writev(parts);
    written += bytesWritten;
    const wanted = parts.reduce((sum, part) => sum + part.length, 0);
    if (bytesWritten < wanted) {
      // A short write: the rest goes in one piece, which writeFile repeats until it is all there.
      const rest = Buffer.concat(parts).subarray(bytesWritten);
      await file.writeFile(rest);
      written += rest.length;
    }
  };
  const iterator = bytes[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await nextOrAborted(iterator, signal);
      if (next === 'aborted') {
        await write([...stream.end(), Buffer.from('\n[cut off: the capture was ended here]\n')]);
        return written;
      }
      if (next.done === true) {
        await write(stream.end());
        return written;
      }
      await write(stream.push(next.value));
    }
  } finally {
    // Not awaited: the return of a stream that hangs would hang as well.
    iterator.return?.().catch(() => undefined);
  }
}

/** Not Promise.race with one long-lived promise: it would keep every chunk of the log alive until the end. */
function nextOrAborted(
  iterator: AsyncIterator<Buffer>,
  signal: AbortSignal | undefined,
): Promise<IteratorResult<Buffer> | 'aborted'> {
  if (signal === undefined) return iterator.next();
  if (signal.aborted) return Promise.resolve('aborted');
  return new Promise((resolve, reject) => {
    const onAbort = (): void => resolve('aborted');
    signal.addEventListener('abort', onAbort, { once: true });
    iterator
      .next()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', onAbort));
  });
}

async function makeDirectory(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await chmod(directory, 0o700);
}

/** Names of services and containers become names of files, and nothing else. */
function fileName(name: string): string {
  const safe = name
    .replaceAll(/[^\w.@-]+/g, '-')
    .replace(/^[.-]+/, '')
    .slice(0, 200);
  return safe === '' ? 'evidence' : safe;
}

function evidenceError(directory: string, name: string, thrown: unknown): ProcedureError {
  if (thrown instanceof ProcedureError) return thrown;
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  return new ProcedureError('E_EVIDENCE', `${name} could not be captured: ${reason}`, {
    next: `See that ${directory} can be written and has space, or give another evidence-dir.`,
    cause: thrown,
  });
}
