/** A container with a long log, and what capturing it costs. */
import { statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../lib/command.mjs';
import { waitFor } from '../lib/files.mjs';
import { runBundle } from './bundle.mjs';
import { makeProject, removeProject } from './project.mjs';

/** Lines as a busy service writes them; the driver adds about 80 bytes to each on disk. */
const LINE_BYTES = 500;

/** Writes the whole log at once, then serves. */
const writer = (bytes) => `
const line = '2026-01-01T00:00:00.000Z INFO request GET /api/items/12345 answered 200 in 12 ms '.padEnd(${LINE_BYTES - 1}, 'x') + '\\n';
const block = Buffer.from(line.repeat(2000));
const { writeSync } = require('node:fs');
if (process.env.VERSION === '1') {
  for (let left = ${bytes}; left > 0; left -= block.length) {
    for (let at = 0; at < block.length; ) at += writeSync(1, block, at);
  }
}
require('/server.js');
`;

/**
 * Updates a service whose old container has written `bytes` of log, which is captured whole before the change.
 *
 * @returns {Promise<{ peakBytes: number, captureMs: number, bytes: number, written: number }>}
 */
export async function captureLongLog(node, images, bytes) {
  demandSpace(bytes);
  const project = await makeProject(images, {
    service: {
      command: ['node', '-e', writer(bytes)],
      // Nothing of it is rotated away.
      logging: { driver: 'json-file', options: { 'max-size': '100g' } },
      healthcheck: {
        test: ['CMD', 'wget', '-q', '-O', '/dev/null', 'http://127.0.0.1:8080/'],
        interval: '2s',
        start_period: '10m',
        start_interval: '500ms',
      },
    },
  });
  try {
    await project.compose('up', '--detach');
    const healthy = await waitFor(
      async () => (await project.compose('ps', '--format', '{{.Health}}')).trim() === 'healthy' || undefined,
      { timeoutMs: 600_000, everyMs: 500 },
    );
    if (!healthy) throw new Error('the container did not end writing its log within 10 minutes');
    await run('docker', ['tag', `${images}:2`, `${project.name}:2`]);
    const { peakBytes, report } = await runBundle(node, project, {
      procedure: 'code-update',
      service: 'app',
      image: `${project.name}:2`,
      watch: '0s',
    });
    const step = report.timeline.find(({ text }) => /^capture .*\(before\)/.test(text));
    const log = join(report.evidencePath, 'app-before-' + `${project.name}-app-1-log.txt`);
    return { peakBytes, captureMs: step.durationMs, bytes, written: statSync(log).size };
  } finally {
    await removeProject(project);
  }
}

/** The log, its copy, and room for others on the machine. */
function demandSpace(bytes) {
  const { bavail, bsize } = statfsSync('/var/tmp');
  const free = bavail * bsize;
  const needed = 3 * bytes + 2e9;
  if (free < needed) throw new Error(`${(needed / 1e9).toFixed(0)} GB free are needed, ${(free / 1e9).toFixed(0)} are`);
}
