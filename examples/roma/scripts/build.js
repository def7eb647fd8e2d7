// `pnpm build`: checks every source file, copies it to dist/ and compiles
// data/onthisday.txt to dist/almanac.json. Any mistake fails the build.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { parseAlmanac } from '../src/almanac.js';

const root = new URL('../', import.meta.url);
const src = new URL('src/', root);
const dist = new URL('dist/', root);

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);

const files = readdirSync(src).filter((name) => name.endsWith('.js'));
for (const name of files) {
  const path = fileURLToPath(new URL(name, src));
  const check = spawnSync(process.execPath, ['--check', path], { stdio: 'inherit' });
  if (check.status !== 0) process.exit(1);
  copyFileSync(path, new URL(name, dist));
}

const entries = parseAlmanac(readFileSync(new URL('data/onthisday.txt', root), 'utf8'));
writeFileSync(new URL('almanac.json', dist), `${JSON.stringify(entries, null, 2)}\n`);

console.log(`built dist/: ${files.length} modules, ${entries.length} almanac entries`);
