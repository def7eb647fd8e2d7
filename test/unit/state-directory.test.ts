import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepareStateDirectory } from '../../src/host/state-directory.js';

let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'rr-state-'));
  await writeFile(join(root, 'file'), '');
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe('the state directory', () => {
  it('is made with the folders above it, and nothing stays in it', async () => {
    const directory = join(root, 'some', 'where');
    await prepareStateDirectory(directory);
    await prepareStateDirectory(directory);
    expect(await readdir(directory)).toEqual([]);
  });

  it.each([
    ['a file', 'file', 'a file is in its place', 'Move the file away.'],
    ['a folder below a file', 'file/state', 'a file is in its place', 'Move the file away.'],
    ['a name that no file system takes', 'x'.repeat(300), 'ENAMETOOLONG', 'Correct that.'],
  ])('is refused when it is %s', async (_what, name, reason, next) => {
    const refused: unknown = await prepareStateDirectory(join(root, name)).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      code: 'E_INPUT',
      message: expect.stringContaining(reason) as string,
      next: `${next} Or set state-dir to another folder. Nothing was changed.`,
      excerpt: [],
    });
  });
});
