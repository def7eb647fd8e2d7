/**
 * The load generator itself, in a process of its own so that what a test does is not in its way. Open loop: a request is
 * sent when it is due, whatever became of those before it.
 *
 * argv[2]: JSON of LoadOptions. Writes `started` when the first request is sent; ends sending at SIGTERM or when stdin
 * closes, waits for what is in flight, and writes the report as JSON.
 */
import { Agent, get } from 'node:http';

const { url, rate, keepAlive, timeoutMs = 10_000, slow } = JSON.parse(process.argv[2]);
const agent = keepAlive ? new Agent({ keepAlive: true, maxSockets: 64 }) : false;
const began = performance.now();
const requests = [];
const slowOnes = [];
const pending = new Set();

function send(target, list, via) {
  const entry = { sentMs: performance.now() - began, doneMs: 0, failure: undefined, version: undefined };
  list.push(entry);
  const done = new Promise((resolve) => {
    const end = (failure) => {
      if (entry.doneMs !== 0) return;
      entry.doneMs = performance.now() - began;
      entry.failure = failure;
      resolve();
    };
    const request = get(
      target,
      { agent: via, timeout: timeoutMs + (list === slowOnes ? (slow.maxMs ?? 10_000) : 0) },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk) => (text += chunk));
        response.on('end', () => {
          entry.version =
            response.headers['x-version'] ?? response.headers['x-roma-version'] ?? text.split(/\s/)[0].slice(0, 40);
          end(response.statusCode === 200 && response.complete ? undefined : `status ${response.statusCode}`);
        });
        response.on('error', (error) => end(`answer broke off (${error.code ?? error.message})`));
        response.on('aborted', () => end('answer broke off'));
      },
    );
    request.on('timeout', () => {
      end('timeout');
      request.destroy();
    });
    request.on('error', (error) => end(error.code ?? error.message));
    request.on('close', () => end('closed without an answer'));
  });
  pending.add(done);
  void done.then(() => pending.delete(done));
}

const everyMs = 1_000 / rate;
let due = 0;
const timer = setInterval(
  () => {
    const now = performance.now() - began;
    // What is late is sent at once, so that a busy machine does not thin the traffic out.
    while (due * everyMs <= now) {
      due += 1;
      send(url, requests, agent);
    }
  },
  Math.max(1, everyMs / 2),
);
const slowTimer = slow && setInterval(() => send(slow.url, slowOnes, false), slow.everyMs);
process.stdout.write('started\n');

let ending = false;
async function finish() {
  if (ending) return;
  ending = true;
  clearInterval(timer);
  if (slowTimer) clearInterval(slowTimer);
  await Promise.all(pending);
  process.stdout.write(`${JSON.stringify({ ...report(requests), slow: report(slowOnes) })}\n`, () => process.exit(0));
}
process.on('SIGTERM', () => void finish());
process.stdin.on('end', () => void finish()).resume();

function report(list) {
  const good = list.filter(({ failure }) => failure === undefined);
  const times = good.map(({ sentMs, doneMs }) => doneMs - sentMs).sort((a, b) => a - b);
  const at = (share) => Math.round(times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0);
  const failures = {};
  const versions = {};
  for (const { failure, version } of list) {
    if (failure !== undefined) failures[failure] = (failures[failure] ?? 0) + 1;
    else versions[version] = (versions[version] ?? 0) + 1;
  }
  return {
    requests: list.length,
    failed: list.length - good.length,
    failures,
    firstFailures: list
      .filter(({ failure }) => failure !== undefined)
      .slice(0, 10)
      .map(
        ({ sentMs, doneMs, failure }) =>
          `${failure} at ${Math.round(sentMs)} ms after ${Math.round(doneMs - sentMs)} ms`,
      ),
    longestGapMs: longestGap(good),
    slowestMs: Math.round(times.at(-1) ?? 0),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    versions,
    lastVersion: [...good].sort((a, b) => a.doneMs - b.doneMs).at(-1)?.version,
  };
}

/** The longest time in which no good answer came. */
function longestGap(good) {
  const times = good.map(({ doneMs }) => doneMs).sort((a, b) => a - b);
  return Math.round(times.reduce((longest, time, index) => Math.max(longest, time - (times[index - 1] ?? time)), 0));
}
