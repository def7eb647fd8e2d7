/**
 * `npm run bench`: what a run costs beside what `docker compose up` costs for the same change. Ratios of medians in one
 * run, taking turns, so that a busy machine slows both. Exit code 1 when a bar does not hold.
 * `--quick`: fewer rounds and a short log, to see that it works. `--only PART`: one of changes, starts, log, traffic, rollout
 * and replicas.
 */
import { randomBytes } from 'node:crypto';
import { cpus } from 'node:os';
import { ensureDependencies } from './lib/dependencies.mjs';
import { run } from './lib/command.mjs';
import { ensureEdgeImage } from './lib/edge-image.mjs';
import { ensureEngine } from './lib/engine.mjs';
import { ensureBaseImage } from './lib/images.mjs';
import { ensureNode24 } from './lib/node24.mjs';

if (process.argv.includes('--help')) {
  console.log(
    'npm run bench [-- --quick] [--only changes|starts|log|traffic|rollout|replicas]: what a run costs beside docker compose up; exit code 1 when a bar does not hold',
  );
  process.exit(0);
}
const quick = process.argv.includes('--quick');
const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1] : undefined;
const ROUNDS = quick ? 3 : 7;
const STARTS = quick ? 5 : 9;
const TRAFFIC_ROUNDS = quick ? 1 : 5;
const REPLICAS = quick ? [2, 4, 8] : [5, 20, 50];
const LOG_BYTES = quick ? 100e6 : 2e9;

/** docs/performance.md says where these come from. */
const BARS = { wallRatio: 1.15, wallMoreMs: 500, outageRatio: 1.1, firstCallMs: 250, peakBytes: 150e6 };

const log = (line) => console.log(line);
const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};
const spread = (values) => `${Math.min(...values).toFixed(0)}–${Math.max(...values).toFixed(0)}`;

await ensureDependencies({ log });
// They need the dependencies.
const { runBundle } = await import('./bench/bundle.mjs');
const { firstCallMs } = await import('./bench/first-call.mjs');
const { captureLongLog } = await import('./bench/long-log.mjs');
const { startProber } = await import('./bench/prober.mjs');
const { replicaRows } = await import('./bench/replicas.mjs');
const { rolloutRows } = await import('./bench/rollout.mjs');
const { trafficRows } = await import('./bench/traffic.mjs');
const { buildImages, makeProject, removeImages, removeProject } = await import('./bench/project.mjs');

const engine = await ensureEngine({ log });
const [base, node] = [await ensureBaseImage({ env: engine.env, log }), await ensureNode24({ log })];
Object.assign(process.env, engine.env);
const images = `rr-bench-images-${randomBytes(4).toString('hex')}`;
const rows = [];
try {
  const nodeVersion = await run(node, ['--version']);
  log(`Engine ${engine.version}, Compose ${engine.compose}, Node ${nodeVersion}, ${cpus().length} cores`);
  await buildImages(base, images);
  const parts = { changes, starts, log: longLog, traffic, rollout, replicas };
  for (const [name, part] of Object.entries(parts)) if (only === undefined || only === name) await part();
} finally {
  await removeImages(images);
}
printTable();
process.exitCode = rows.every(({ holds }) => holds) ? 0 : 1;

/** Bars a and b: the same change by plain Compose and by the bundle, in two projects of their own, taking turns. */
async function changes() {
  const plain = await makeProject(images);
  const ours = await makeProject(images);
  const byCompose = async (version) => {
    await run('docker', ['tag', `${images}:${version}`, `${plain.name}:live`]);
    await plain.compose('up', '--detach', '--wait');
  };
  const byBundle = (version) =>
    runBundle(node, ours, {
      procedure: 'code-update',
      service: 'app',
      image: `${images}:${version}`,
      watch: '0s',
      // No line matches: reading the log is one of the checks that are off.
      'error-patterns': '(?!)',
    });
  try {
    await plain.compose('up', '--detach', '--wait');
    await byBundle(1);
    const wall = { compose: [], bundle: [] };
    const outage = { compose: [], bundle: [] };
    for (let round = 0; round < 2 * ROUNDS; round += 1) {
      const version = round % 2 === 0 ? 2 : 1;
      // One half of the rounds without traffic, which costs the machine something, and one half with it.
      const probed = round >= ROUNDS;
      const kinds = [
        ['compose', plain, byCompose],
        ['bundle', ours, byBundle],
      ];
      for (const [kind, project, change] of round % 2 === 0 ? kinds : kinds.reverse()) {
        const prober = probed ? startProber(project.port) : undefined;
        const began = performance.now();
        await change(version);
        const ms = performance.now() - began;
        if (prober === undefined) wall[kind].push(ms);
        else outage[kind].push((await prober.stop()).outageMs);
        await demandVersion(project, version);
      }
      log(`round ${round + 1} of ${2 * ROUNDS}`);
    }
    addWall(wall);
    addOutage(outage);
  } finally {
    await Promise.all([removeProject(plain), removeProject(ours)]);
  }
}

/** A change that did not happen would be a fast one. */
async function demandVersion({ name, port }, version) {
  const text = await (await fetch(`http://127.0.0.1:${port}/`)).text();
  if (text !== String(version)) throw new Error(`${name} runs version ${text}, not ${version}`);
}

function addWall({ compose, bundle }) {
  const [a, b] = [median(compose), median(bundle)];
  const most = Math.max(BARS.wallRatio * a, a + BARS.wallMoreMs);
  rows.push({
    what: 'wall time of code-update (image that is there, checks off)',
    compose: `${a.toFixed(0)} ms (${spread(compose)})`,
    bundle: `${b.toFixed(0)} ms (${spread(bundle)})`,
    ratio: (b / a).toFixed(2),
    bar: `≤ ${most.toFixed(0)} ms`,
    holds: b <= most,
  });
}

function addOutage({ compose, bundle }) {
  const [a, b] = [median(compose), median(bundle)];
  rows.push({
    what: 'outage under recreate',
    compose: `${a.toFixed(0)} ms (${spread(compose)})`,
    bundle: `${b.toFixed(0)} ms (${spread(bundle)})`,
    ratio: (b / a).toFixed(2),
    bar: `≤ ${BARS.outageRatio} ×`,
    holds: b <= BARS.outageRatio * a,
  });
}

async function starts() {
  const project = await makeProject(images);
  try {
    const cold = await firstCallMs(node, project, { XDG_CACHE_HOME: project.root });
    await firstCallMs(node, project);
    const times = [];
    for (let index = 0; index < STARTS; index += 1) times.push(await firstCallMs(node, project));
    const ms = median(times);
    rows.push({
      what: 'start to first engine call',
      bundle: `${ms.toFixed(0)} ms (${spread(times)}); ${cold.toFixed(0)} the very first time`,
      bar: `< ${BARS.firstCallMs} ms`,
      holds: ms < BARS.firstCallMs,
    });
  } finally {
    await removeProject(project);
  }
}

async function traffic() {
  const edge = await ensureEdgeImage({ env: engine.env, log });
  rows.push(...(await trafficRows({ node, images, edge, rounds: TRAFFIC_ROUNDS, log })));
}

async function rollout() {
  const haproxy = await ensureEdgeImage({ env: engine.env, log });
  rows.push(...(await rolloutRows({ node, images, haproxy, rounds: TRAFFIC_ROUNDS, log })));
}

async function replicas() {
  rows.push(...(await replicaRows({ node, images, counts: REPLICAS, log })));
}

async function longLog() {
  log(`writing a log of ${(LOG_BYTES / 1e6).toFixed(0)} MB`);
  const { peakBytes, captureMs, bytes, written } = await captureLongLog(node, images, LOG_BYTES);
  const rate = written / 1e6 / (captureMs / 1000);
  log(`captured ${(written / 1e6).toFixed(0)} MB in ${(captureMs / 1000).toFixed(1)} s, ${rate.toFixed(0)} MB/s`);
  rows.push({
    what: `peak memory with ${(bytes / 1e9).toFixed(1)} GB of log captured`,
    bundle: `${(peakBytes / 1e6).toFixed(0)} MB`,
    bar: `< ${BARS.peakBytes / 1e6} MB`,
    holds: peakBytes < BARS.peakBytes && written >= bytes,
  });
}

function printTable() {
  const columns = ['what', 'compose', 'bundle', 'ratio', 'bar', 'holds'];
  const text = (row, column) => (column === 'holds' ? (row.holds ? 'yes' : 'NO') : (row[column] ?? ''));
  const cells = [columns, columns.map(() => '---'), ...rows.map((row) => columns.map((column) => text(row, column)))];
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => row[index].length)));
  console.log('');
  for (const row of cells) console.log(`| ${row.map((cell, index) => cell.padEnd(widths[index])).join(' | ')} |`);
}
