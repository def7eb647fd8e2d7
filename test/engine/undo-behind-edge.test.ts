import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EDGE_IMAGE } from '../support/edge.js';
import { badReleases, deploy, liveOf, update, type Live } from '../support/live.js';
import { makeProject, type Project } from '../support/project.js';

/** What is wrong with a release comes from its environment or from its image. */
const SERVER = `import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
const { version, chaos } = JSON.parse(readFileSync('release.json', 'utf8'));
const fault = process.env.FAULT || chaos;
process.on('SIGTERM', () => process.exit(0));
createServer((request, response) => {
  response.statusCode = request.url === '/check' && fault === 'wrong' ? 500 : 200;
  response.end(version + ' ' + process.env.NAMED);
}).listen(8080, () => {
  if (fault === 'crash') setTimeout(() => { console.log('ERROR: ends on purpose'); process.exit(3); }, 3000);
});
`;

const COMPOSE = `services:
  app:
    build:
      context: .
      args:
        BASE_IMAGE: \${BASE_IMAGE:-node:22-alpine}
    environment:
      NAMED: \${NAMED:-one}
      FAULT: \${FAULT:-}
    ports: ['127.0.0.1:\${HOST_PORT}:8080']
    healthcheck:
      test: ['CMD', 'wget', '-q', '-O', '/dev/null', 'http://127.0.0.1:8080/health']
      interval: 1s
      start_period: 1s
    stop_grace_period: 1s
`;

const STRATEGIES = ['recreate', 'hold', 'blue-green', 'rolling', 'canary'] as const;
const CHANGES = ['environment', 'image'] as const;
const FAULTS = ['wrong', 'crash'] as const;

describe.each(STRATEGIES)('behind the edge, strategy %s', (strategy) => {
  let project: Project;
  let before: Live;
  const inputs = {
    strategy,
    router: 'edge',
    'edge-image': EDGE_IMAGE,
    'smoke-test': 'curl -sf "$ROLLING_RESTART_URL/check"',
    'canary-steps': '50,100',
    // Longer than a release takes to crash: the old containers have their share until then.
    'canary-pause': '4s',
    'on-inconclusive': 'continue',
  };

  beforeAll(async () => {
    project = await makeProject({
      fixture: 'plain',
      files: { 'compose.yaml': COMPOSE, 'app/server.mjs': SERVER },
      env: { NAMED: 'one' },
    });
    await project.compose(['up', '-d', '--build', '--wait']);
    await project.setEnv({ NAMED: 'two' });
    await deploy(project, 'app', inputs);
    before = await liveOf(project, 'app');
  });

  afterAll(async () => {
    await project.cleanup();
  });

  describe.each(CHANGES)('a change of the %s', (change) => {
    it.each(FAULTS)('is undone when it is %s, and everything names what is live', async (fault) => {
      const bad = await badReleases(project, 'app');
      if (change === 'environment') await project.setEnv({ FAULT: fault });
      else await project.commitRelease({ version: `2.0.0-${fault}`, chaos: fault });
      const { report, log } = await update(project, 'app', { ...inputs, watch: fault === 'crash' ? '8s' : '0s' });
      await project.setEnv({ FAULT: null });
      expect(report.outcome, log).toBe('rolled-back');
      expect((await project.get('/')).text).toBe('1.0.0 two');

      const now = await liveOf(project, 'app');
      expect({ ...now, container: '' }, log).toEqual({ ...before, container: '' });
      expect(report.services, log).toMatchObject([
        { outcome: 'rolled-back', release: before.release, previousRelease: before.release, imageDigest: now.image },
      ]);
      expect(report.changed).toBe(false);
      const [service] = report.services;
      const errors = report.slo.find(({ metric }) => metric.startsWith('Error rate'));
      if (fault === 'crash') {
        // The new release served until it ended, and nothing did until the old one had the requests again.
        // A canary leaves the old one its share until then.
        if (strategy === 'canary') expect(service?.downtimeMs, log).toBe(0);
        else expect(service?.downtimeMs, log).toBeGreaterThan(0);
        expect(service?.errorLines, log).toBe(1);
        expect(errors, log).toMatchObject({ met: false });
      }
      expect(report.headline).toContain(before.release);
      expect(await badReleases(project, 'app')).toHaveLength(bad.length + 1);
    });
  });
});
