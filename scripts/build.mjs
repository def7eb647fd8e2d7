/**
 * `npm run build`: compiles src/ and bundles the doors (the action's two and the shell's) into dist/, with the licences of what is in them.
 * `--check`: builds into a temporary folder and fails with the list of files in which dist/ differs.
 *
 * The same sources and lock file give the same bytes on every machine: no cache, no minifier, paths relative to the
 * project.
 */
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ncc from '@vercel/ncc';
import { run } from './lib/command.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const ENTRIES = ['main', 'post', 'cli'];
/** The whole bundle of an entry; `index.js` beside it only starts it. */
const PROGRAM = 'program.js';
const START = join(ROOT, 'scripts/lib/start.cjs');
/** What a person starts: ncc makes a folder of a door, and a program is a file. */
const SHELL = { source: join(ROOT, 'scripts/lib/shell.cjs'), name: 'cli.js' };
const LICENSES = 'licenses.txt';
/** A file for each chunk: under one name the last chunk's would be all that is left. */
const CHUNK_LICENSES = `[name].${LICENSES}`;

process.chdir(ROOT);
const check = process.argv.includes('--check');
await compile();
if (check) await compare();
else await bundleInto(join(ROOT, 'dist'));

/** tsc and not ncc's own loader: it does not know newer compilers, and it does not fail on type errors the same way. */
async function compile() {
  await rm('build', { recursive: true, force: true });
  await run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], { inherit: true });
}

async function bundleInto(dist) {
  await rm(dist, { recursive: true, force: true });
  const licenses = new Set();
  for (const entry of ENTRIES) {
    const { code, assets } = await ncc(join(ROOT, 'build', `${entry}.js`), {
      cache: false,
      license: CHUNK_LICENSES,
      quiet: true,
    });
    const folder = join(dist, entry);
    await write(join(folder, PROGRAM), code);
    await write(join(folder, 'index.js'), await readFile(START));
    for (const [name, { source }] of Object.entries(assets)) {
      if (name.endsWith('.node')) throw new Error(`${name} is machine code: it would run on this kind of machine only`);
      if (name.endsWith(`.${LICENSES}`)) splitLicenses(String(source)).forEach((text) => licenses.add(text));
      else await write(join(folder, name), source);
    }
    await refuseAbsolutePaths(folder);
  }
  await write(join(dist, SHELL.name), await readFile(SHELL.source));
  await chmod(join(dist, SHELL.name), 0o755);
  await write(join(dist, LICENSES), `${[...licenses].sort().join('\n\n')}\n`);
}

/** ncc writes name, licence and text of each package; a name begins a part when there is such a package. */
function splitLicenses(text) {
  const parts = [];
  for (const part of text.split(/\n\n(?=(?:@[\w.-]+\/)?[\w.-]+\n)/)) {
    const name = part.split('\n', 1)[0];
    if (parts.length === 0 || existsSync(join('node_modules', name, 'package.json'))) parts.push(part);
    else parts.push(`${parts.pop()}\n\n${part}`);
  }
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

/** A path of this machine in the bundle would make it another one on the next. */
async function refuseAbsolutePaths(folder) {
  for (const file of await files(folder)) {
    if ((await readFile(join(folder, file), 'utf8')).includes(ROOT)) {
      throw new Error(`${relative(ROOT, join(folder, file))} holds the absolute path of the project`);
    }
  }
}

async function compare() {
  const fresh = await mkdtemp(join(tmpdir(), 'rolling-restart-dist-'));
  try {
    await bundleInto(fresh);
    const committed = join(ROOT, 'dist');
    const names = [...new Set([...(await files(fresh)), ...(await files(committed))])].sort();
    const different = [];
    for (const name of names) {
      const [a, b] = await Promise.all([read(join(fresh, name)), read(join(committed, name))]);
      if (a === undefined) different.push(`dist/${name}: is not built any more`);
      else if (b === undefined) different.push(`dist/${name}: is missing`);
      else if (!a.equals(b)) different.push(`dist/${name}: differs`);
    }
    if (different.length > 0) {
      console.error(
        `dist/ is not what the sources give; run \`npm run build\` and commit it:\n${different.join('\n')}`,
      );
      process.exitCode = 1;
    } else {
      console.log(`dist/ is what the sources give (${names.length} files)`);
    }
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

async function files(folder) {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}

async function read(path) {
  try {
    return await readFile(path);
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

async function write(path, content) {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}
