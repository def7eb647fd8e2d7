/** What each further replica costs: an update of 5, 20 and 50 tiny containers, beside the engine's own time for them. */
import { run } from '../lib/command.mjs';
import { runBundle } from './bundle.mjs';
import { makeProject, removeProject } from './project.mjs';

/** A further replica may cost this much more between the larger numbers than between the smaller ones. */
const LINEAR = 1.5;

/**
 * @param {object} options
 * @param {string} options.node Node 24
 * @param {string} options.images repository of the two images
 * @param {number[]} options.counts numbers of replicas, growing
 * @param {(line: string) => void} options.log
 * @returns {Promise<object[]>} rows of the table
 */
export async function replicaRows({ node, images, counts, log }) {
  const measured = [];
  for (const count of counts) {
    measured.push(await measure({ node, images, count }));
    log(`replicas: ${count}`);
  }
  const rows = measured.map(({ count, ms, engineMs }) => ({
    what: `rolling update of ${count} replicas; beside it, the engine's own time to start as many`,
    compose: `${engineMs.toFixed(0)} ms`,
    bundle: `${ms.toFixed(0)} ms: ${((ms - engineMs) / count).toFixed(0)} ms a replica beyond it`,
    bar: '',
    holds: true,
  }));
  const slopes = measured
    .slice(1)
    .map(({ count, ms }, index) => (ms - measured[index].ms) / (count - measured[index].count));
  const [first, last] = [slopes[0], slopes.at(-1)];
  return [
    ...rows,
    {
      what: 'each further replica, between the larger numbers against the smaller ones',
      bundle: `${last.toFixed(0)} ms against ${first.toFixed(0)} ms`,
      ratio: (last / first).toFixed(2),
      bar: `≤ ${LINEAR} ×`,
      holds: last <= LINEAR * first,
    },
  ];
}

async function measure({ node, images, count }) {
  const project = await makeProject(images, {
    service: {
      ports: [],
      command: ['sleep', '1000000'],
      init: true,
      healthcheck: { test: ['CMD', 'true'], interval: '30s' },
      deploy: { replicas: count, update_config: { parallelism: 10, order: 'start-first' } },
    },
  });
  try {
    const began = performance.now();
    await project.compose('up', '--detach');
    const engineMs = performance.now() - began;
    const { ms } = await runBundle(node, project, {
      procedure: 'code-update',
      service: 'app',
      image: `${images}:2`,
      watch: '0s',
      'error-patterns': '(?!)',
      strategy: 'rolling',
    });
    const listed = await run('docker', [
      'ps',
      '--quiet',
      '--filter',
      `label=com.docker.compose.project=${project.name}`,
    ]);
    const running = listed.split('\n').filter((line) => line !== '').length;
    if (running !== count) throw new Error(`${running} containers run, not ${count}`);
    return { count, ms, engineMs };
  } finally {
    await removeProject(project);
  }
}
