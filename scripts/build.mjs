/**
 * `npm run build`: compiles src/ and bundles it into dist/: the program once, a small starter for each door, and the licenses of
 * the packages in it. `--check`: builds into a temporary folder and fails with the list of files in which dist/ differs.
 *
 * The same sources and lock file give the same bytes on every machine: no cache, a pinned minifier, paths relative to the
 * project (docs/adr/0018-one-minified-bundle.md).
 */
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ncc from '@vercel/ncc';
import { transform } from 'esbuild';
import { run } from './lib/command.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Starters by file name. A person runs `cli.js`; `--` keeps Node 20 from taking the option `--env-file` for its own. */
const STARTERS = {
  'main.js': "'use strict';\nrequire('./start.js').open('main');\n",
  'post.js': "'use strict';\nrequire('./start.js').open('post');\n",
  'cli.js': "#!/usr/bin/env -S node --\n'use strict';\nrequire('./start.js').open('cli');\n",
};
const START = join(ROOT, 'scripts/lib/start.cjs');

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
  const { code, assets, stats } = await ncc(join(ROOT, 'build', 'program.js'), { cache: false, quiet: true });
  await write(join(dist, 'program.js'), await minify(code));
  for (const [name, { source }] of Object.entries(assets)) {
    if (name.endsWith('.node')) throw new Error(`${name} is machine code: it would run on this kind of machine only`);
    await write(join(dist, name), name.endsWith('.js') ? await minify(String(source)) : source);
  }
  await write(join(dist, 'start.js'), await readFile(START));
  for (const [name, text] of Object.entries(STARTERS)) await write(join(dist, name), text);
  await chmod(join(dist, 'cli.js'), 0o755);
  await write(join(dist, 'licenses.txt'), await licensesOf(stats.compilation.modules));
  await refuseAbsolutePaths(dist);
}

/** ncc minifies the entry and not its chunks, so both are minified here. Stack traces keep the names of functions and classes. */
async function minify(code) {
  const result = await transform(code, { minify: true, keepNames: true, legalComments: 'none', target: 'node20' });
  return result.code;
}

/**
 * Collects the licenses of the packages that webpack put into the bundle. ncc's own list misses packages of some chunks.
 * @returns {Promise<string>} name, license and license text of each package, ordered by name
 */
async function licensesOf(modules) {
  const folders = new Set();
  const visit = ({ resource = '', modules: inner = [] }) => {
    const folder = /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(resource)?.[0];
    if (folder !== undefined) folders.add(folder);
    for (const one of inner) visit(one);
  };
  for (const one of modules) visit(one);
  const parts = await Promise.all([...folders].map(licenseOf));
  return `${[...new Set(parts)].sort().join('\n\n')}\n`;
}

async function licenseOf(folder) {
  const { name, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const file = (await readdir(folder)).filter((one) => /^licen[sc]e/i.test(one)).sort()[0];
  const text = file === undefined ? '' : (await readFile(join(folder, file), 'utf8')).trim();
  return [name, license, text].filter((part) => part).join('\n');
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
