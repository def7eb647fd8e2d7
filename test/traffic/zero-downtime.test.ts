import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { EDGE_IMAGE } from '../support/edge.js';
import { docker } from '../support/engine-containers.js';
import { deploy, update } from '../support/live.js';
import { carryOut } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';
import { failuresOf, underLoad, type UnderLoad } from '../support/under-load.js';

/** The sample service behind its edge. Each test goes on where the one before ended. */
let project: Project;
let version = 1;
beforeAll(async () => {
  project = await makeProject({ fixture: 'roma' });
  await deploy(project, 'roma', { strategy: 'recreate' });
  const compose = await readFile(join(project.dir, 'docker-compose.yml'), 'utf8');
  // A health check that is soon there and costs little: two cores have the load as well.
  const quick = compose
    .replace("'node', 'bin/health.js'", "'wget', '-q', '-O', '/dev/null', 'http://127.0.0.1:3000/health'")
    .replace('interval: 30s', 'interval: 1s');
  await project.commitRelease({ version: '1.1.0', files: { 'docker-compose.yml': quick } });
  await deploy(project, 'roma', { ...EDGE, strategy: 'blue-green' });
});
afterAll(() => project.cleanup());

const EDGE = { 'edge-image': EDGE_IMAGE, router: 'edge' };

function busy<Result>(work: () => Promise<Result>): Promise<UnderLoad<Result>> {
  const inside = { url: 'http://roma:3000/', network: `${project.name}_default` };
  return underLoad({ url: `${project.url}/`, slowUrl: `${project.url}/slow?ms=2000`, inside }, work);
}

async function next(chaos = ''): Promise<string> {
  version += 1;
  const name = `${version}.0.0`;
  await project.commitRelease({ version: name, chaos });
  return name;
}

const live = async (): Promise<string> =>
  (JSON.parse((await project.get('/version')).text) as { version: string }).version;

describe('under 300 requests a second from outside, others from inside, and some of 2 s in flight', () => {
  it.each(['rolling', 'blue-green', 'canary'])('fails none in three updates in a row by %s', async (strategy) => {
    const began = Date.now();
    const lines: string[] = [];
    const done = await busy(async () => {
      for (let turn = 0; turn < 3; turn += 1) {
        const wanted = await next();
        const { report } = await deploy(project, 'roma', {
          strategy,
          'canary-steps': '20%, 50%, 100%',
          'canary-pause': '1s',
        });
        lines.push(...report.timeline.map(({ at, text }) => `${Date.parse(at) - began} ms: ${text}`));
        expect(await live()).toBe(wanted);
      }
    });
    expect(failuresOf(done), lines.join('\n')).toEqual({});
    expect(done.fresh.requests).toBeGreaterThan(1_000);
    expect(done.inside?.requests).toBeGreaterThan(200);
  });

  it('fails none when a release never gets ready', async () => {
    const before = await live();
    await next('never-healthy');
    const done = await busy(() => update(project, 'roma', { strategy: 'blue-green', 'readiness-timeout': '4s' }));
    expect(done.result.report.outcome, done.result.log).toBe('rolled-back');
    expect(failuresOf(done), done.result.log).toEqual({});
    expect(await live()).toBe(before);
  });

  it.each(['rolling', 'blue-green'])('fails none when a release turns bad in the watch after %s', async (strategy) => {
    const before = await live();
    await next('unhealthy-after:4s');
    const done = await busy(() => update(project, 'roma', { strategy, watch: '30s' }));
    const { report, log } = done.result;
    expect(report.outcome, log).toBe('rolled-back');
    expect(failuresOf(done), log).toEqual({});
    expect(await live()).toBe(before);
    if (strategy === 'rolling') return;
    // The old set is still there, and has the requests again at once.
    const sign = Date.parse(report.warnings.find(({ severity }) => severity === 'high')?.at ?? '');
    const back = report.timeline.find(({ at, text }) => Date.parse(at) >= sign && text.startsWith('the edge sends'));
    const tookMs = Date.parse(back?.at ?? '') + (back?.durationMs ?? Number.NaN) - sign;
    console.log(`switched back ${tookMs} ms after the sign`);
    expect(tookMs, log).toBeLessThan(1_000);
  });

  it('fails none in a rollback that is asked for', async () => {
    const now = await live();
    const done = await busy(() =>
      carryOut(project, { procedure: 'rollback', service: 'roma', 'rollback-to': 'previous' }),
    );
    expect(done.result.report.outcome, done.result.log).toBe('deployed');
    expect(failuresOf(done), done.result.log).toEqual({});
    expect(await live()).not.toBe(now);
  });
});

describe('an edge that dies', () => {
  it('comes back by itself, and sends to the containers that are live', async () => {
    const before = await live();
    const edge = await docker(
      'ps',
      '-q',
      '--filter',
      `label=rolling-restart.project=${project.name}`,
      '--filter',
      'label=rolling-restart.edge=edge',
    );
    const pidOf = async (): Promise<number> => Number(await docker('inspect', '--format', '{{.State.Pid}}', edge));
    const pid = await pidOf();
    process.kill(pid, 'SIGKILL');
    const another = async (): Promise<boolean> => ![0, pid].includes(await pidOf());
    await vi.waitUntil(another, { timeout: 10_000 });
    await vi.waitUntil(async () => (await live().catch(() => undefined)) === before, { timeout: 10_000 });
    await next();
    const done = await busy(() => deploy(project, 'roma', { strategy: 'blue-green' }));
    expect(failuresOf(done)).toEqual({});
  });
});
