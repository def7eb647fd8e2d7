/** Requests from a process of its own while something else is done: the generator that the tests use. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { projectRoot } from '../lib/files.mjs';

const CHILD = join(projectRoot, 'test/support/load-child.mjs');
/** What comes late is seen as well. */
const AFTER_MS = 500;

/**
 * @param {string} url
 * @param {number} rate requests a second, each over a new connection
 * @param {() => Promise<T>} work
 * @returns {Promise<{ result: T, load: { requests: number, failed: number, longestGapMs: number, slowestMs: number, p99Ms: number } }>}
 * @template T
 */
export async function underLoad(url, rate, work) {
  const child = spawn(process.execPath, [CHILD, JSON.stringify({ url, rate, keepAlive: false })], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let output = '';
  const closed = new Promise((resolve) => child.once('close', resolve));
  try {
    await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.stdout.setEncoding('utf8').on('data', (text) => {
        output += text;
        if (output.includes('started\n')) resolve();
      });
    });
    const result = await work();
    await sleep(AFTER_MS);
    child.stdin.end();
    await closed;
    return { result, load: JSON.parse(output.slice(output.indexOf('started\n') + 'started\n'.length)) };
  } finally {
    child.kill('SIGKILL');
  }
}
