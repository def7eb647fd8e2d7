import { afterEach, expect, it } from 'vitest';
import { EDGE_IMAGE } from '../support/edge.js';
import { docker } from '../support/engine-containers.js';
import { deploy, update } from '../support/live.js';
import { carryOut } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';
import { failuresOf, underLoad } from '../support/under-load.js';

/** Behind the edge, as services often are and should not be. */
const EDGE = { 'edge-image': EDGE_IMAGE, router: 'edge', strategy: 'blue-green' };
const PLAIN_HEALTH = /\n {4}healthcheck:(\n {6}.*)+/;

let project: Project | undefined;
afterEach(async () => {
  await project?.cleanup();
  project = undefined;
});

async function behindEdge(compose: string, chaos = ''): Promise<Project> {
  const made = await makeProject({ fixture: 'plain', files: { 'compose.yaml': compose } });
  project = made;
  await deploy(made, 'app', { strategy: 'recreate' });
  await made.commitRelease({ version: '2.0.0', chaos });
  await deploy(made, 'app', EDGE);
  return made;
}

it('a service that ignores SIGTERM fails no request: it is killed when nobody asks it any more, and that is said', async () => {
  const made = await behindEdge(served(), 'ignore-sigterm');
  await made.commitRelease({ version: '3.0.0' });
  const slowUrl = `${made.url}/slow?ms=2000`;
  const done = await underLoad({ url: made.url, slowUrl }, () => deploy(made, 'app', EDGE));
  expect(failuresOf(done), done.result.log).toEqual({});
  expect(done.fresh.lastVersion).toBe('3.0.0');
  expect(done.result.report.warnings.map(({ sign }) => sign)).toContain('killed-after-grace');
});

it('a service without a health check fails no request, neither with a good release nor with one that ends', async () => {
  const made = await behindEdge(served().replace(PLAIN_HEALTH, ''));
  await made.commitRelease({ version: '3.0.0' });
  const done = await underLoad({ url: made.url }, () => deploy(made, 'app', EDGE));
  expect(failuresOf(done), done.result.log).toEqual({});
  expect(done.fresh.lastVersion).toBe('3.0.0');
  await made.commitRelease({ version: '4.0.0', chaos: 'crash-after:1s' });
  const bad = await underLoad({ url: made.url }, () => update(made, 'app', EDGE));
  expect(bad.result.report.outcome, bad.result.log).toBe('rolled-back');
  expect(failuresOf(bad), bad.result.log).toEqual({});
  expect(Object.keys(bad.fresh.versions)).toEqual(['3.0.0']);
});

it('a restart of what runs behind a router fails no request, and stays in place where a fresh container would lose files', async () => {
  const made = await behindEdge(served());
  const before = await made.containerId('app');
  const restart = { procedure: 'health-restart', service: 'app', 'edge-image': EDGE_IMAGE };
  const done = await underLoad({ url: `${made.url}/` }, () => carryOut(made, restart));
  expect(done.result.report.outcome, done.result.log).toBe('deployed');
  expect(failuresOf(done), done.result.log).toEqual({});
  const after = await made.containerId('app');
  expect(after).not.toBe(before);
  expect(done.result.report.headline).toBe('app restarted and verified');
  expect(done.result.report.services).toHaveLength(1);

  await docker('exec', after, 'sh', '-c', 'echo kept > /tmp/kept');
  const planned = await carryOut(made, { ...restart, 'dry-run': 'true' });
  expect(planned.log).toContain(
    'a new container would not have what this one has written outside of its volumes: /tmp/kept',
  );
  const inPlace = await carryOut(made, restart);
  expect(inPlace.report.outcome, inPlace.log).toBe('deployed');
  expect(await made.containerId('app')).toBe(after);
  expect((await made.get('/file?path=/tmp/kept')).text).toBe('kept\n');

  // What goes wrong with the fresh container leaves the old one serving.
  await docker('exec', after, 'rm', '/tmp/kept');
  const failed = await underLoad({ url: `${made.url}/` }, () =>
    carryOut(made, { ...restart, 'smoke-test': `[ "$ROLLING_RESTART_CONTAINER" = ${after} ]` }),
  );
  expect(failed.result.report.outcome, failed.result.log).toBe('rolled-back');
  expect(failuresOf(failed), failed.result.log).toEqual({});
  expect(await made.containerId('app')).toBe(after);
  const again = await carryOut(made, restart);
  expect(again.report.outcome, again.log).toBe('deployed');
});
