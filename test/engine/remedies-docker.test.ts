import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { BASE_IMAGE } from '../support/engine-containers.js';
import { deploy } from '../support/live.js';
import { startPrivateEngine, type PrivateEngine } from '../support/private-engine.js';
import { carryOut, type Carried } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';

/** On an engine of its own, whose dockerd really hangs and is really restarted. */
let engine: PrivateEngine;
let project: Project;

beforeAll(async () => {
  engine = await startPrivateEngine();
  await engine.load([BASE_IMAGE]);
  vi.stubEnv('DOCKER_HOST', engine.host);
  const compose = served().replace('restart: unless-stopped', 'restart: always');
  project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': compose } });
  await deploy(project, 'app');
});

afterAll(async () => {
  await project.cleanup();
  vi.unstubAllEnvs();
  await engine.stop();
});

const emergency = (more: Readonly<Record<string, string>> = {}): Promise<Carried> =>
  carryOut(project, { procedure: 'emergency', service: 'app', ...more });

it('an engine that hangs is restarted where remedies names it, and only there; then what was asked for is done', async () => {
  const [asked, done] = [join(project.root, 'asked'), join(project.root, 'done')];
  const command = `touch '${asked}'; until [ -e '${done}' ]; do sleep 0.1; done; echo restarted`;
  const before = await project.containerId('app');
  engine.freeze();

  const without = await emergency();
  expect(without.report, without.log).toMatchObject({ outcome: 'refused', changed: false });
  expect(without.report.error?.code).toBe('E_ENGINE_UNREACHABLE');
  const looking = await emergency({ remedies: 'restart-docker', 'restart-docker-command': command, 'dry-run': 'true' });
  expect(looking.report.outcome, looking.log).toBe('refused');
  const unknown = await emergency({ remedies: 'restart-docker' });
  expect(unknown.report, unknown.log).toMatchObject({ outcome: 'refused', error: { code: 'E_REMEDY' } });
  expect(unknown.report.error?.next).toContain('restart-docker-command');
  const broken = await emergency({ remedies: 'restart-docker', 'restart-docker-command': 'echo no unit >&2; exit 5' });
  expect(broken.report.error, broken.log).toMatchObject({ code: 'E_REMEDY' });
  expect(broken.report.error?.message).toContain('exit code 5');
  expect(existsSync(asked)).toBe(false);

  const run = emergency({ remedies: 'restart-docker', 'restart-docker-command': command });
  await vi.waitUntil(() => existsSync(asked), { timeout: 30_000 });
  await engine.restart('SIGKILL');
  await writeFile(done, '');
  const { report, log } = await run;
  expect(report.outcome, log).toBe('deployed');
  expect(await project.containerId('app')).not.toBe(before);
  expect(log).toContain('because remedies names restart-docker; every service of the host stops with it');
  expect(report.findings.map(({ title }) => title)).toContain('Remedy: restart-docker');
  expect(report.timeline.map(({ text }) => text).join('\n')).toMatch(
    /the Docker engine did not answer and was restarted with .*; it answers again after/,
  );
  expect(report.nextSteps.join('\n')).toContain('look at the other services of this host');
});
