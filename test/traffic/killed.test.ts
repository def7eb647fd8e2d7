import { afterEach, describe, expect, it } from 'vitest';
import { EDGE_IMAGE } from '../support/edge.js';
import { openDoor, type DoorRun } from '../support/doors.js';
import { docker } from '../support/engine-containers.js';
import { deploy } from '../support/live.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';
import { underLoad, type UnderLoad } from '../support/under-load.js';

const EDGE = { 'edge-image': EDGE_IMAGE, router: 'edge', strategy: 'blue-green' };
const INPUTS = { procedure: 'code-update', service: 'app', watch: '20s', ...EDGE };
const RATES = { fresh: 100, kept: 20 };

let project: Project;
let door: DoorRun | undefined;
afterEach(async () => {
  await door?.kill();
  door = undefined;
  await project.cleanup();
});

/** Version 1.0.0 runs as plain Compose started it. */
async function plain(): Promise<void> {
  project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': served() } });
  await deploy(project, 'app', { strategy: 'recreate' });
}

/** The process of an update to 2.0.0 is killed when it has said something; then `post` of the action does its work. */
function killed(moment: RegExp, { slowly = false } = {}): Promise<UnderLoad<string>> {
  return underLoad({ url: project.url, rates: RATES }, async () => {
    // A verification ends with the requests in flight: it is not over before the process that makes it is killed.
    const slow = slowly ? { 'probe-url': `${project.url}/slow?ms=2000`, 'probe-rate': '2' } : {};
    door = openDoor(project, 'main', { ...INPUTS, ...slow });
    await door.said(moment, 60_000);
    await door.kill();
    const repair = openDoor(project, 'post', INPUTS, door.state());
    const exitCode = await repair.ended;
    const log = `${door.output()}\n--- post\n${repair.output()}`;
    expect(exitCode, log).toBe(0);
    return log;
  });
}

const version = async (): Promise<string> => (await project.get('/')).text.split(' ')[0] ?? '';

/** One container, that of the version; the edge is there or not; nothing stands in for it; nothing is redirected. */
async function expectWhole(expected: string, edge: boolean, log: string): Promise<void> {
  expect(await version(), log).toBe(expected);
  const before = await project.containerId('app');
  const { stderr } = await project.compose(['up', '-d', '--no-build']);
  expect(stderr, log).not.toMatch(/Recreat|Creat/);
  expect(await project.containerId('app'), log).toBe(before);
  const ours = ['ps', '-a', '--format', '{{.Label "rolling-restart.edge"}}', '--filter', 'label=rolling-restart.edge'];
  const roles = await docker(...ours, '--filter', `label=rolling-restart.project=${project.name}`);
  expect(roles, log).toBe(edge ? 'edge' : '');
  expect(
    await docker(
      'ps',
      '-aq',
      '--filter',
      `label=rolling-restart.project=${project.name}`,
      '--filter',
      'label=rolling-restart.helper',
    ),
    log,
  ).toBe('');
}

describe('a run that is killed behind the edge fails no request, and the post of the action', () => {
  it.each([
    ['takes away what had no request yet', /✓ start one container of app/, '1.1.0', false],
    ['goes back from what was not verified', /✓ the edge sends all requests/, '1.1.0', true],
    ['goes back from what was being verified', /✓ the edge sends all requests[^]*✓ identity/, '1.1.0', true],
    ['finishes what was verified and live', /is live and verified/, '2.0.0', false],
  ])('%s', async (_, moment, expected, slowly) => {
    await plain();
    await project.commitRelease({ version: '1.1.0' });
    await deploy(project, 'app', EDGE);
    await project.commitRelease({ version: '2.0.0' });
    const done = await killed(moment, { slowly });
    expect(done.fresh.failures, done.result).toEqual({});
    expect(done.kept.failures, done.result).toEqual({});
    await expectWhole(expected, true, done.result);
  });
});

describe('a take-over that is killed fails no new connection, and the post of the action', () => {
  it.each([
    ['takes the edge away again, before it had a request', /✓ make the edge of app/, '1.0.0', false, false],
    ['takes redirect and edge away again', /✓ redirect new connections/, '1.0.0', false, false],
    ['takes it back from what was switched to and not verified', /✓ the edge sends all requests/, '1.0.0', false, true],
    ['finishes it when the old container is gone', /✓ stop and remove the old container/, '1.0.0', true, false],
    ['ends the redirect when the port is open', /✓ open port/, '1.0.0', true, false],
  ])('%s', async (_, moment, expected, edge, slowly) => {
    await plain();
    await project.commitRelease({ version: '2.0.0' });
    const done = await killed(moment, { slowly });
    expect(done.fresh.failures, done.result).toEqual({});
    await expectWhole(expected, edge, done.result);
  });
});
