/** What a change costs the service's clients: behind the managed edge, beside plain Compose, under the same load. */
import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../lib/command.mjs';
import { runBundle } from './bundle.mjs';
import { underLoad } from './load.mjs';
import { makeProject, removeProject } from './project.mjs';

const RATE = 300;
/** How long the service is asked without a change. */
const CALM_MS = 4_000;
/** docs/zero-downtime.md says where these come from. */
const BARS = { slowerMs: 50, beyondBootMs: 1_500 };
const STRATEGIES = ['rolling', 'blue-green', 'canary'];

/**
 * @param {object} options
 * @param {string} options.node Node 24
 * @param {string} options.images repository of the two images
 * @param {string} options.edge image of the edge
 * @param {number} options.rounds changes by each way
 * @param {(line: string) => void} options.log
 * @returns {Promise<object[]>} rows of the table
 */
export async function trafficRows({ node, images, edge, rounds, log }) {
  const plain = await makeProject(images);
  const ours = await makeProject(images);
  const image = (version) => `${images}:${version}`;
  const change = (version, strategy) =>
    runBundle(node, ours, {
      procedure: 'code-update',
      service: 'app',
      image: image(version),
      watch: '0s',
      'error-patterns': '(?!)',
      router: 'edge',
      'edge-image': edge,
      strategy,
      'canary-steps': '50%, 100%',
      'canary-pause': '1s',
    });
  const seen = { compose: [], takeover: [], calm: [], boot: [], alone: [] };
  for (const strategy of STRATEGIES) seen[strategy] = [];
  try {
    for (const project of [plain, ours]) await project.compose('up', '--detach', '--wait');
    const url = ({ port }) => `http://127.0.0.1:${port}/`;
    seen.takeover.push(await underLoad(url(ours), RATE, () => change(2, 'blue-green')));
    let version = 2;
    for (let round = 0; round < rounds; round += 1) {
      for (const strategy of STRATEGIES) {
        version = 3 - version;
        seen[strategy].push(await underLoad(url(ours), RATE, () => change(version, strategy)));
      }
      seen.calm.push(await underLoad(url(ours), RATE, () => sleep(CALM_MS)));
      await run('docker', ['tag', image(2 - (round % 2)), `${plain.name}:live`]);
      seen.compose.push(
        await underLoad(url(plain), RATE, () => timed(() => plain.compose('up', '--detach', '--wait'))),
      );
      version = 3 - version;
      seen.alone.push(await change(version, 'blue-green'));
      seen.boot.push(await bootMs(image(version)));
      log(`traffic: round ${round + 1} of ${rounds}`);
    }
    return tableOf(seen);
  } finally {
    await Promise.all([removeProject(plain), removeProject(ours)]);
  }
}

/** From `docker run` to the first answer: what a person waits for a container of this image. */
async function bootMs(image) {
  const began = performance.now();
  const id = await run('docker', ['run', '--detach', '--publish', '127.0.0.1::8080', image]);
  try {
    const address = await run('docker', ['port', id, '8080']);
    for (;;) {
      if (await answers(`http://${address}/`)) return performance.now() - began;
      if (performance.now() - began > 30_000) throw new Error(`${image} does not answer`);
      await sleep(10);
    }
  } finally {
    await run('docker', ['rm', '--force', id]);
  }
}

/** Not `fetch`: in Node 20 that never settles when a connection is closed at once. */
function answers(url) {
  return new Promise((resolve) => {
    const request = get(url, { agent: false, timeout: 5_000 }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode === 200));
      response.on('error', () => resolve(false));
    });
    request.on('timeout', () => request.destroy(new Error('no answer')));
    request.on('error', () => resolve(false));
  });
}

/** From the first operation of the service to the end of the last one, as the report's timeline has them. */
function rollOutMs({ timeline }) {
  const own = timeline.filter(({ service, status }) => service === 'app' && status === 'done');
  const ends = own.map(({ at, durationMs = 0 }) => Date.parse(at) + durationMs);
  return Math.max(...ends) - Math.min(...own.map(({ at }) => Date.parse(at)));
}

async function timed(work) {
  const began = performance.now();
  await work();
  return { ms: performance.now() - began };
}

function tableOf(seen) {
  const calm = median(seen.calm.map(({ load }) => load.slowestMs));
  const told = (runs) => {
    const failed = sum(runs.map(({ load }) => load.failed));
    const requests = sum(runs.map(({ load }) => load.requests));
    const gap = median(runs.map(({ load }) => load.longestGapMs));
    const p99 = median(runs.map(({ load }) => load.p99Ms));
    const slowest = median(runs.map(({ load }) => load.slowestMs));
    const wall = median(runs.map(({ result }) => result.ms));
    return `${failed} of ${requests} failed, gap ${gap} ms, p99 ${p99} ms, slowest ${slowest} ms, wall ${wall.toFixed(0)} ms`;
  };
  const compose = told(seen.compose);
  const rows = STRATEGIES.flatMap((strategy) => {
    const runs = seen[strategy];
    const slowest = median(runs.map(({ load }) => load.slowestMs));
    return [
      {
        what: `${strategy} under ${RATE} requests/s`,
        compose,
        bundle: told(runs),
        bar: '0 failed',
        holds: runs.every(({ load }) => load.failed === 0),
      },
      {
        what: `${strategy}: slowest request, against ${calm} ms without a change`,
        bundle: `${slowest} ms`,
        bar: `≤ ${calm + BARS.slowerMs} ms`,
        holds: slowest <= calm + BARS.slowerMs,
      },
    ];
  });
  const wall = median(seen.alone.map(({ report }) => rollOutMs(report)));
  const boot = median(seen.boot);
  return [
    {
      what: `take-over of the port by the edge, under ${RATE} requests/s`,
      bundle: told(seen.takeover),
      bar: '0 failed',
      holds: seen.takeover.every(({ load }) => load.failed === 0),
    },
    ...rows,
    {
      what: `blue-green without traffic: all operations, first to last, with a boot of ${boot.toFixed(0)} ms`,
      bundle: `${wall.toFixed(0)} ms`,
      bar: `≤ ${(boot + BARS.beyondBootMs).toFixed(0)} ms`,
      holds: wall <= boot + BARS.beyondBootMs,
    },
  ];
}

const sum = (values) => values.reduce((total, value) => total + value, 0);

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
