import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { EDGE_IMAGE } from '../support/edge.js';
import { BASE_IMAGE } from '../support/engine-containers.js';
import { deploy } from '../support/live.js';
import { startPrivateEngine, type PrivateEngine } from '../support/private-engine.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';

const EDGE = { 'edge-image': EDGE_IMAGE, router: 'edge', strategy: 'blue-green' };
const BACK_MS = 60_000;

/** A dockerd that was killed leaves what has `unless-stopped` down when it comes back, with an edge or without one. */
const COMPOSE = served().replace('restart: unless-stopped', 'restart: always');

/** On an engine of its own. Each test goes on where the one before ended. */
let engine: PrivateEngine;
let project: Project;
let version = 1;
beforeAll(async () => {
  engine = await startPrivateEngine();
  await engine.load([BASE_IMAGE, EDGE_IMAGE]);
  vi.stubEnv('DOCKER_HOST', engine.host);
  project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': COMPOSE } });
  await deploy(project, 'app', { strategy: 'recreate' });
});
afterAll(async () => {
  await project.cleanup();
  vi.unstubAllEnvs();
  await engine.stop();
});

const answering = async (): Promise<string | undefined> => (await engine.ask(project.url))?.split(' ')[0];

async function update(): Promise<string> {
  version += 1;
  await project.commitRelease({ version: `${version}.0.0` });
  await deploy(project, 'app', EDGE);
  return `${version}.0.0`;
}

it.each(['SIGTERM', 'SIGKILL'] as const)(
  'the edge has the live set again after dockerd ended by %s',
  async (signal) => {
    const live = await update();
    expect(await answering()).toBe(live);
    const began = Date.now();
    await engine.restart(signal);
    await vi
      .waitUntil(async () => (await answering()) === live, { timeout: BACK_MS, interval: 200 })
      .catch(async () => expect.fail(await engine.explain()));
    console.log(`${signal}: the edge answers ${Date.now() - began} ms after dockerd was told to end`);
    // Nobody has to repair anything before the next change.
    const next = await update();
    expect(await answering()).toBe(next);
  },
);
