import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BASE_IMAGE, docker } from '../support/engine-containers.js';

const FILES = ['host/state-directory', 'model/errors'];
const PRINT = `import { prepareStateDirectory } from '/code/host/state-directory.js';
const print = ({ code, message, next }) => console.log(JSON.stringify({ code, message, next }));
await prepareStateDirectory('/state/own').then(() => console.log('taken'), print);`;

/** A small disk is full then; it does not matter to the others. */
const FILL_AND_PRINT = 'head -c 1000000 /dev/zero 2>/dev/null > /state/fill; node /code/print.js';

/** Disks of a container's own: no test fills or remounts one of the host. */
describe('a state directory', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rr-state-directory-'));
    for (const file of FILES) {
      const source = await readFile(new URL(`../../src/${file}.ts`, import.meta.url), 'utf8');
      const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
      await mkdir(dirname(join(folder, file)), { recursive: true });
      await writeFile(join(folder, `${file}.js`), ts.transpileModule(source, { compilerOptions: options }).outputText);
    }
    await writeFile(join(folder, 'print.js'), PRINT);
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    // Another user reads it as well.
    await docker('run', '--rm', '--volume', `${folder}:/code`, BASE_IMAGE, 'chmod', '-R', 'a+rX', '/code');
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const run = (...options: readonly string[]): Promise<string> =>
    docker('run', '--rm', '--volume', `${folder}:/code:ro`, ...options, BASE_IMAGE, 'sh', '-c', FILL_AND_PRINT);

  it.each([
    ['with room', '/state'],
    ['on a full disk', '/state:size=256k'],
  ])('%s is taken', async (_where, disk) => {
    expect(await run('--tmpfs', disk)).toBe('taken');
  });

  it.each([
    ['on a read-only disk', ['--tmpfs', '/state:ro'], 'it cannot be made there', 'Correct that.'],
    [
      'of another user',
      ['--tmpfs', '/state:mode=0700', '--user', '65534'],
      'this user may not write there',
      'Give this user the right to write there.',
    ],
  ])('%s is refused, with what to do', async (_where, options, reason, next) => {
    expect(JSON.parse(await run(...options))).toEqual({
      code: 'E_INPUT',
      message: `The state directory /state/own cannot be used: ${reason}`,
      next: `${next} Or set state-dir to another folder. Nothing was changed.`,
    });
  });
});
