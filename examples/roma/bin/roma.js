#!/usr/bin/env node
// The command `roma`: `roma --version` prints the version, `roma serve` runs
// the service.
import { existsSync, readFileSync } from 'node:fs';

const root = new URL('../', import.meta.url);
const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
const command = process.argv[2];

if (command === '--version') {
  console.log(version);
} else if (command === 'serve') {
  const main = new URL('dist/main.js', root);
  if (!existsSync(main)) {
    console.error('roma: nothing is built yet, run `pnpm build` first');
    process.exit(1);
  }
  const { serve } = await import(main.href);
  await serve({ root, version });
} else {
  console.error('usage: roma serve | roma --version');
  process.exit(2);
}
