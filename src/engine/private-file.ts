import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A file that only this user can read, for as long as `body` runs: a rendered definition holds every secret. */
export async function withPrivateFile<T>(content: string, body: (file: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), 'rolling-restart-'));
  try {
    const file = path.join(folder, 'compose.json');
    await writeFile(file, content, { mode: 0o600 });
    return await body(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
