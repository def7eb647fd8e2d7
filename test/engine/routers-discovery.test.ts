import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { testEngine } from '../support/engine-containers.js';
import { deploy, update } from '../support/live.js';
import { makeProject, type Project } from '../support/project.js';

/** As Traefik finds it; the health check fails as soon as the drain command has run. */
const compose = (drain: string): string => `services:
  app:
    build:
      context: .
      args:
        BASE_IMAGE: \${BASE_IMAGE:-node:22-alpine}
    labels:
      traefik.enable: 'true'
    healthcheck:
      test: ['CMD-SHELL', 'test ! -e /tmp/drain && wget -q -O /dev/null http://127.0.0.1:8080/health']
      interval: 500ms
      retries: 1
    stop_grace_period: 1s
x-rolling-restart:
  services:
    app:
      router: { discovery: { settle: 1s, drain-command: '${drain}', resume-command: 'rm -f /tmp/drain' } }
`;

let project: Project;
beforeEach(async () => {
  project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': compose('touch /tmp/drain') } });
  await deploy(project, 'app', { strategy: 'recreate' });
});
afterEach(() => project.cleanup());

/** Health changes and ends of the project's containers while something is done, as the engine tells them. */
async function healthDuring(work: () => Promise<void>): Promise<readonly string[]> {
  const filter = ['--filter', `label=com.docker.compose.project=${project.name}`, '--filter', 'type=container'];
  const child = spawn('docker', ['events', ...filter, '--format', '{{.Actor.ID}} {{.Action}}']);
  let seen = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (seen += text));
  try {
    await once(child, 'spawn');
    await work();
  } finally {
    child.kill();
  }
  return seen.split('\n').filter((line) => / (health_status|die)/.test(line));
}

describe('a proxy that follows Docker by itself', () => {
  it('sees the new container healthy, then the old one unhealthy, and only then it stops', async () => {
    const old = await project.containerId('app');
    await project.commitRelease({ version: '2.0.0' });
    const seen = await healthDuring(async () => {
      const carried = await update(project, 'app');
      expect(carried.report.outcome, carried.log).toBe('deployed');
      expect(carried.report.plan?.services[0]?.strategy).toBe('rolling');
    });
    const young = await project.containerId('app');
    expect(young).not.toBe(old);
    const order = [`${young} health_status: healthy`, `${old} health_status: unhealthy`, `${old} die`];
    const places = order.map((line) => seen.indexOf(line));
    expect(places, seen.join('\n')).not.toContain(-1);
    expect(
      [...places].sort((a, b) => a - b),
      seen.join('\n'),
    ).toEqual(places);
  });

  it('keeps the old one serving when the drain command fails, and says which', async () => {
    await project.commitRelease({ version: '2.0.0', files: { 'compose.yaml': compose('exit 7') } });
    const old = await project.containerId('app');
    const carried = await update(project, 'app');
    expect(carried.report.outcome, carried.log).toBe('rolled-back');
    expect(carried.report.error?.message).toContain('drain-command ended with 7');
    expect(await project.containerId('app')).toBe(old);
    expect((await (await testEngine()).container(old))?.health).toBe('healthy');
  });
});
