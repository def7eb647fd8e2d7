import { afterAll, beforeAll, expect, it } from 'vitest';
import { EDGE_IMAGE } from '../support/edge.js';
import { killAt, openDoor, type DoorRun } from '../support/doors.js';
import { takeInventory } from '../support/inventory.js';
import { deploy, update } from '../support/live.js';
import { carryOut } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';
import { typeInShell } from '../support/shell.js';

/** Only one container may have the volume: the first change takes the port over, and holds what comes meanwhile. */
const COMPOSE = `services:
  app:
    build:
      context: .
      args:
        BASE_IMAGE: \${BASE_IMAGE:-node:22-alpine}
    container_name: \${COMPOSE_PROJECT_NAME}-only
    ports: ['\${HOST_PORT}:8080']
    volumes: ['data:/data']
    healthcheck:
      test: ['CMD', 'wget', '-q', '-O', '/dev/null', 'http://127.0.0.1:8080/health']
      interval: 1s
    stop_grace_period: 1s
volumes:
  data:
`;

const COMMON = { service: 'app', 'edge-image': EDGE_IMAGE, 'drain-timeout': '1s', watch: '0s' };
const HOLD = { ...COMMON, procedure: 'code-update', router: 'edge', strategy: 'hold' };
const EJECT = { ...COMMON, procedure: 'eject' };

let project: Project;
let versions = 1;
beforeAll(async () => {
  project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': COMPOSE } });
  await deploy(project, 'app', { strategy: 'recreate' });
});
afterAll(() => project.cleanup());

async function newVersion(): Promise<void> {
  versions += 1;
  await project.commitRelease({ version: `${versions}.0.0` });
}

/** A recovery is green for a service that answers: one container serves, nothing stands in, nothing is redirected. */
async function expectServing(log: string): Promise<void> {
  const { status, text } = await project.get('/');
  expect(status, log).toBe(200);
  expect(text, log).toMatch(/^\d+\.0\.0 /);
  expect(await project.containerIds('app'), log).toHaveLength(1);
  const left = (await takeInventory(project)).filter(
    ({ kind, name }) => kind === 'NAT rule' || (kind === 'container' && name.includes('takeover')),
  );
  expect(left, log).toEqual([]);
}

async function recover(killed: DoorRun): Promise<void> {
  const said = await typeInShell(project, 'recover');
  const log = `${killed.output()}\n--- recover\n${said.text}`;
  expect(said.green, log).toBe(true);
  await expectServing(log);
}

/** Recovered by the action's `post`, which is another process. */
async function post(killed: DoorRun, inputs: Readonly<Record<string, string>>): Promise<void> {
  const repair = openDoor(project, 'post', inputs, killed.state());
  const code = await repair.ended;
  const log = `${killed.output()}\n--- post\n${repair.output()}`;
  expect(code, log).toBe(0);
  await expectServing(log);
}

/** `after:begin` is before the effect, `before:end` after it and before anybody knows. */
it.each([
  'before:end:install-edge',
  'after:begin:redirect-ports',
  'before:end:redirect-ports',
  'before:end:hold-traffic',
  'before:end:stop-containers',
  'after:begin:start-beside',
  'before:end:start-beside',
  'before:end:shift-traffic',
])('a first take-over with requests held, killed %s: the service answers on its port again', async (where) => {
  await newVersion();
  const killed = await killAt(project, where, HOLD);
  await (where === 'before:end:stop-containers' ? post(killed, HOLD) : recover(killed));
});

it('a first take-over that is killed with its port open stays behind the edge', async () => {
  await newVersion();
  await recover(await killAt(project, 'before:end:open-ports', HOLD));
  const { text } = await typeInShell(project, 'status');
  expect(text).not.toContain('Does not serve');
});

it.each([
  'before:end:hold-traffic',
  'after:end:drain-containers',
  'after:begin:stop-containers',
  'before:end:stop-containers',
  'after:begin:start-beside',
  'before:end:start-beside',
  'before:end:shift-traffic',
  'after:end:release-traffic',
  'before:end:verify',
  'after:end:verify',
  'before:end:accept-release',
  'after:begin:retire-containers',
])('a hold that is killed %s: the service answers through its edge again', async (where) => {
  await newVersion();
  const killed = await killAt(project, where, HOLD);
  await (where === 'after:begin:start-beside' ? post(killed, HOLD) : recover(killed));
});

it.each([
  'before:end:close-ports',
  'before:end:hold-traffic',
  'before:end:stop-containers',
  'before:end:start-beside',
  'before:end:shift-traffic',
  'after:end:verify',
])('an eject that is killed %s: the edge has the port again', async (where) => {
  const killed = await killAt(project, where, EJECT);
  await (where === 'before:end:close-ports' ? post(killed, EJECT) : recover(killed));
});

it('an eject that is killed when the service has its port is finished, and the next run goes on from there', async () => {
  await recover(await killAt(project, 'after:end:end-redirect', EJECT));
  const again = await update(project, 'app', { strategy: 'recreate' });
  expect(again.report.outcome, again.log).toBe('unchanged');
  const checked = await carryOut(project, { procedure: 'check' });
  expect(checked.report.headline, checked.log).toContain('everything that runs is healthy');
});
