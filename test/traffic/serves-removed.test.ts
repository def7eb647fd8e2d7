import { createServer, type Server } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { EDGE_IMAGE } from '../support/edge.js';
import { killAt } from '../support/doors.js';
import { docker } from '../support/engine-containers.js';
import { deploy, update } from '../support/live.js';
import { carryOut } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';
import { typeInShell } from '../support/shell.js';

const EDGE = { 'edge-image': EDGE_IMAGE, router: 'edge' };

const edgeOf = (project: Project): string => `rolling-restart-edge-${project.name}-app-edge-1`;
const networkOf = (project: Project): string => `${project.name}_default`;
const answer = async (project: Project): Promise<string> => (await project.get('/')).text.split(' ')[0] ?? '';

/** Everybody who is asked says that nothing is wrong. */
async function expectWhole(project: Project, inputs: Readonly<Record<string, string>> = {}): Promise<void> {
  const checked = await carryOut(project, { procedure: 'check', 'edge-image': EDGE_IMAGE });
  expect(checked.report.headline, checked.log).toContain('everything that runs is healthy');
  const status = await typeInShell(project, 'status');
  expect(status.value['services'], status.text).toMatchObject([{ serving: { state: 'serves', why: [] }, drift: [] }]);
  const again = await update(project, 'app', inputs);
  expect(again.report.outcome, again.log).toBe('unchanged');
}

/** `check`, `status` and the dry run name it; `code-update` repairs it, and the service answers. */
async function expectNamedAndRepaired(
  project: Project,
  what: RegExp,
  inputs: Readonly<Record<string, string>> = {},
): Promise<void> {
  const checked = await carryOut(project, { procedure: 'check' });
  expect(checked.report.nextSteps.join('\n'), checked.log).toMatch(what);
  const status = await typeInShell(project, 'status');
  expect(status.text).toMatch(what);
  expect(status.value['services']).toMatchObject([{ serving: { state: 'not-serving' } }]);
  const planned = await update(project, 'app', { ...inputs, 'dry-run': 'true' });
  expect(planned.report.plan?.services[0]?.decision.kind, planned.log).not.toBe('unchanged');
  const repaired = await update(project, 'app', inputs);
  expect(repaired.report.outcome, repaired.log).toBe('deployed');
  expect(await answer(project), repaired.log).toBe('1.0.0');
  await project.waitUntilHealthy('app');
  await expectWhole(project, inputs);
}

describe('what somebody took from a service behind its edge is named, and code-update repairs it', () => {
  let project: Project;
  let round = 0;
  beforeAll(async () => {
    const compose = served({ environment: { ROUND: '${ROUND:-0}' } });
    project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': compose } });
    await deploy(project, 'app', { strategy: 'recreate' });
  });
  afterAll(() => project.cleanup());

  /** The next change takes the port over, where the edge does not have it. */
  async function behindEdge(): Promise<void> {
    if ((await docker('ps', '-q', '--filter', `name=${edgeOf(project)}`)) !== '') return;
    round += 1;
    await project.setEnv({ ROUND: String(round) });
    await deploy(project, 'app', EDGE);
    await project.waitUntilHealthy('app');
  }

  it.each<[string, () => Promise<unknown>, RegExp]>([
    ['the edge, removed', () => docker('rm', '-f', edgeOf(project)), /nobody has port \d+ of the host/],
    ['the edge, stopped', () => docker('stop', '-t', '1', edgeOf(project)), /the edge of app does not run/],
    [
      'the network of the edge',
      () => docker('network', 'disconnect', '-f', networkOf(project), edgeOf(project)),
      /the edge of app is not on network \S+_default/,
    ],
    [
      'the network of its container',
      async () => docker('network', 'disconnect', '-f', networkOf(project), await project.containerId('app')),
      /app-\d+ is not on network \S+_default/,
    ],
    [
      'the network itself',
      async () => {
        for (const one of [edgeOf(project), await project.containerId('app')])
          await docker('network', 'disconnect', '-f', networkOf(project), one);
        await docker('network', 'rm', networkOf(project));
      },
      /is not on network \S+_default/,
    ],
    [
      'the requests, drained by hand',
      () =>
        docker(
          'exec',
          edgeOf(project),
          'sh',
          '-c',
          `printf 'show servers state\\n' | nc 127.0.0.1 9999 | awk '$19 != "-" && NR > 2 { print "set server " $2 "/" $4 " state drain" }' | while read -r line; do echo "$line" | nc 127.0.0.1 9999; done`,
        ),
      /the edge of app sends no request to \S+app-\d+/,
    ],
    [
      'its process',
      async () => docker('stop', '-t', '1', await project.containerId('app')),
      /app-\d+ is exited with exit code/,
    ],
  ])('%s', async (_, take, what) => {
    await behindEdge();
    await take();
    await expectNamedAndRepaired(project, what, EDGE);
  });
});

describe('what somebody took from a service with a port of its own is named, and code-update repairs it', () => {
  let project: Project;
  beforeAll(async () => {
    project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': served() } });
    await deploy(project, 'app');
  });
  afterAll(() => project.cleanup());

  it.each<[string, () => Promise<unknown>, RegExp]>([
    [
      'its network, and its port with it',
      async () => docker('network', 'disconnect', '-f', networkOf(project), await project.containerId('app')),
      /is not on network \S+_default.*nobody has port \d+/s,
    ],
    [
      'its process',
      async () => docker('stop', '-t', '1', await project.containerId('app')),
      /is exited with exit code/,
    ],
    [
      'its container',
      async () => docker('rm', '-f', await project.containerId('app')),
      /it has no container|has no container/,
    ],
  ])('%s', async (_, take, what) => {
    await take();
    await expectNamedAndRepaired(project, what);
  });
});

describe('after a killed hold, and something taken away before anybody looked', () => {
  let project: Project;
  let blocker: Server | undefined;
  const HOLD = { procedure: 'code-update', service: 'app', strategy: 'hold', 'drain-timeout': '1s', ...EDGE };
  afterEach(async () => {
    await closeBlocker();
    await project.cleanup();
  });

  async function closeBlocker(): Promise<void> {
    await new Promise<void>((resolve) => (blocker === undefined ? resolve() : blocker.close(() => resolve())));
    blocker = undefined;
  }

  async function killedHold(where: string): Promise<void> {
    project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': served() } });
    await deploy(project, 'app', { strategy: 'recreate' });
    await project.commitRelease({ version: '1.1.0' });
    await deploy(project, 'app', EDGE);
    await project.commitRelease({ version: '2.0.0' });
    await killAt(project, where, HOLD);
  }

  it.each([
    ['the edge', 'before:begin:start-beside', (): Promise<unknown> => docker('rm', '-f', edgeOf(project))],
    [
      'the network',
      'after:end:hold-traffic',
      async (): Promise<unknown> => {
        for (const one of [edgeOf(project), ...(await project.containerIds('app'))])
          await docker('network', 'disconnect', '-f', networkOf(project), one);
        return docker('network', 'rm', networkOf(project));
      },
    ],
  ])('%s: the recovery repairs it, and it answers', async (_, where, take) => {
    await killedHold(where);
    await take();
    const recovered = await typeInShell(project, 'recover');
    expect(recovered.green, recovered.text).toBe(true);
    expect(await answer(project)).toBe('1.1.0');
  });

  it('the edge, and its port by somebody else: it is red and says so, and green once the port is free', async () => {
    await killedHold('before:begin:start-beside');
    await docker('rm', '-f', edgeOf(project));
    blocker = createServer((socket) => socket.destroy()).listen(project.port, '0.0.0.0');
    const red = await typeInShell(project, 'recover');
    expect(red.green, red.text).toBe(false);
    expect(red.value['error'], red.text).toMatchObject({ code: 'E_RECOVERY' });
    expect(red.text).toMatch(/address already in use/);
    expect(red.nextSteps.length).toBeGreaterThan(0);
    await closeBlocker();
    const recovered = await typeInShell(project, 'recover');
    expect(recovered.green, recovered.text).toBe(true);
    expect(await answer(project)).toBe('1.1.0');
  });
});
