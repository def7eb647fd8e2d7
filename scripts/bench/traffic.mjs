/** What a change costs the service's clients: behind the managed edge, beside plain Compose, under the same load. */
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
  const seen = { compose: [], takeover: [], calm: [] };
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
      log(`traffic: round ${round + 1} of ${rounds}`);
    }
    return tableOf(seen);
  } finally {
    await Promise.all([removeProject(plain), removeProject(ours)]);
  }
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
  const boots = seen['blue-green'].map(({ result }) => result.report.services[0].readyMs);
  const wall = median(seen['blue-green'].map(({ result }) => result.ms));
  const boot = median(boots);
  return [
    {
      what: `take-over of the port by the edge, under ${RATE} requests/s`,
      bundle: told(seen.takeover),
      bar: '0 failed',
      holds: seen.takeover.every(({ load }) => load.failed === 0),
    },
    ...rows,
    {
      what: `blue-green: wall time, with a boot of ${boot.toFixed(0)} ms`,
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
