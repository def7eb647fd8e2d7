import { posix } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, pack } from 'tar-stream';
import { ProcedureError } from '../model/errors.js';

/** An archive with nothing in it: two blocks of zeros (POSIX, ustar). */
export const EMPTY_TAR = Buffer.alloc(1_024);

/** @returns an archive with the files, in their order, and the folders above them, readable by root only */
export async function tarWithFiles(files: ReadonlyMap<string, Buffer>): Promise<Buffer> {
  const archive = pack();
  const owner = { uid: 0, gid: 0, mtime: new Date() };
  for (const folder of new Set([...files.keys()].flatMap(foldersAbove))) {
    archive.entry({ ...owner, name: folder, type: 'directory', mode: 0o700 });
  }
  for (const [path, content] of files) archive.entry({ ...owner, name: path, mode: 0o600 }, content);
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** @returns the files of an archive by the names they have in it */
export async function filesInTar(archive: Readable): Promise<ReadonlyMap<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const reader = extract();
  const reading = (async () => {
    for await (const entry of reader) {
      const chunks: Buffer[] = [];
      for await (const chunk of entry as AsyncIterable<Buffer>) chunks.push(chunk);
      if (entry.header.type === 'file') files.set(entry.header.name, Buffer.concat(chunks));
    }
  })();
  await Promise.all([pipeline(archive, reader), reading]);
  return files;
}

/**
 * @returns the path, made plain
 * @throws ProcedureError E_INTERNAL when it would lead out of the volume: the engine would follow it
 */
export function insideVolume(path: string): string {
  const plain = posix.normalize(path).replace(/\/$/, '');
  if (!posix.isAbsolute(plain) && plain !== '..' && !plain.startsWith('../') && !plain.includes('\0')) return plain;
  throw new ProcedureError('E_INTERNAL', `The path ${JSON.stringify(path)} leads out of the records volume`, {
    next: 'Please report this with the log of the run.',
  });
}

function foldersAbove(path: string): readonly string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}
