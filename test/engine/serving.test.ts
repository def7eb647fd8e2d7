import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { update } from '../support/live.js';
import { carryOut } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';
import { typeInShell } from '../support/shell.js';

/** What is not meant to serve, has no port, or serves in an unusual way. */
const OTHERS = `  worker:
    image: \${BASE_IMAGE}
    command: ['sleep', '3600']
    stop_grace_period: 0s
  job:
    image: \${BASE_IMAGE}
    command: ['true']
  after:
    image: \${BASE_IMAGE}
    command: ['sleep', '3600']
    stop_grace_period: 0s
    depends_on:
      job:
        condition: service_completed_successfully
  silent:
    image: \${BASE_IMAGE}
    command: ['sleep', '3600']
    stop_grace_period: 0s
    ports: ['127.0.0.1:0:443']
    healthcheck:
      test: ['CMD', 'true']
      interval: 1s
  refusing:
    image: \${BASE_IMAGE}
    command: ['sh', '-c', 'mkdir /www && httpd -f -p 80 -h /www']
    stop_grace_period: 0s
    ports: ['127.0.0.1:\${REFUSING_PORT}:80']
    healthcheck:
      test: ['CMD-SHELL', 'wget -q -O /dev/null http://127.0.0.1:80/none; true']
      interval: 1s
  neighbour:
    image: \${BASE_IMAGE}
    command: ['sleep', '3600']
    stop_grace_period: 0s
    network_mode: service:worker
  none:
    image: \${BASE_IMAGE}
    command: ['sleep', '3600']
    deploy:
      replicas: 0
  debug:
    image: \${BASE_IMAGE}
    command: ['sleep', '3600']
    profiles: [debug]
`;

describe('what is not there, has no port or answers in its own way is no alarm', () => {
  let project: Project;
  beforeAll(async () => {
    const refusing = String(20_000 + Math.floor(Math.random() * 9_000));
    project = await makeProject({
      fixture: 'plain',
      files: { 'compose.yaml': served({ more: OTHERS }) },
      env: { REFUSING_PORT: refusing },
    });
    await project.compose(['up', '-d', '--build']);
    await update(project, 'app');
    for (const service of ['app', 'silent', 'refusing']) await project.waitUntilHealthy(service);
    const stopped = await carryOut(project, { procedure: 'stop', service: 'after', reason: 'a test' });
    expect(stopped.report.outcome, stopped.log).toBe('completed');
  });
  afterAll(() => project.cleanup());

  it.each(['app', 'worker', 'silent', 'refusing', 'neighbour'])('%s serves', async (service) => {
    const checked = await carryOut(project, { procedure: 'check', service });
    expect(
      checked.report.nextSteps.filter((line) => line.includes('serve')),
      checked.log,
    ).toEqual([]);
    const status = await typeInShell(project, 'status', '--service', service);
    expect(status.value['services'], status.text).toMatchObject([{ serving: { state: 'serves' } }]);
    expect((await update(project, service)).report.outcome).toBe('unchanged');
  });

  it.each([
    ['job', 'a job that has completed'],
    ['after', 'stopped on purpose'],
    ['none', 'no replicas'],
    ['debug', 'its profile is off'],
  ])('%s is not meant to serve', async (service, why) => {
    const status = await typeInShell(project, 'status', '--service', service);
    const meant = { state: 'not-meant', why: [expect.stringContaining(why) as string] };
    expect(status.value['services'], status.text).toMatchObject([{ serving: meant }]);
    const checked = await carryOut(project, { procedure: 'check', service });
    expect(checked.report.headline, checked.log).toContain('everything that runs is healthy');
  });
});
