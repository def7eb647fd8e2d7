// The smoke test, `pnpm roma:onthisday`: asks the running service over HTTP,
// as a user would, and prints what it says. Exit 1 when it does not.
//
// ROLLING_RESTART_URL comes first: during a deploy it leads to the container
// under test, while ROMA_URL may still lead to the one it replaces.
import { request } from './request.js';

const base = process.env.ROLLING_RESTART_URL || process.env.ROMA_URL || 'http://127.0.0.1:3000';

try {
  const url = new URL('/onthisday', base);
  const start = performance.now();
  const { ok, status, text } = await request(url, 5000);
  const ms = performance.now() - start;

  if (!ok) throw new Error(`status ${status}: ${text}`);
  const [entry] = JSON.parse(text).entries;
  if (!entry?.text) throw new Error(`no entry in the answer: ${text}`);

  console.log(`${entry.date} ${entry.year}: ${entry.text}`);
  console.log(`${url} answered in ${ms.toFixed(0)} ms`);
} catch (error) {
  console.error(`smoke test failed at ${base}: ${error.message}`);
  process.exitCode = 1;
}
