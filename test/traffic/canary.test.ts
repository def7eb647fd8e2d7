import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EDGE_IMAGE } from '../support/edge.js';
import { deploy, update } from '../support/live.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';
import { failuresOf, underLoad } from '../support/under-load.js';

const EDGE = { 'edge-image': EDGE_IMAGE, router: 'edge' };
const CANARY = { ...EDGE, strategy: 'canary', 'canary-steps': '10%, 50%, 100%', 'canary-pause': '2s' };

/** Behind its edge. Each test begins with what the one before left live. */
let project: Project;
beforeAll(async () => {
  project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': served() } });
  await deploy(project, 'app', { strategy: 'recreate' });
  await project.commitRelease({ version: '1.1.0' });
  await deploy(project, 'app', { ...EDGE, strategy: 'blue-green' });
});
afterAll(() => project.cleanup());

const version = async (): Promise<string> => (await project.get('/')).text.split(' ')[0] ?? '';

describe('a canary', () => {
  it('that answers with errors gets its share and no more, and goes back to none', async () => {
    await project.commitRelease({ version: '2.0.0', chaos: 'fail-requests:100%' });
    const done = await underLoad({ url: project.url }, () => update(project, 'app', CANARY));
    const { report, log } = done.result;
    expect(report.outcome, log).toBe('rolled-back');
    expect(report.error?.message, log).toMatch(/canary/);
    // What failed is its share of the requests at 10 %, for as long as it took to see it.
    expect(done.fresh.failed).toBeGreaterThan(0);
    expect(done.fresh.failed / done.fresh.requests).toBeLessThan(0.15);
    expect(Object.keys(done.fresh.failures)).toEqual(['status 500']);
    expect(await version()).toBe('1.1.0');
  });

  it.each([
    ['takes the memory of many', 'leak:100MB/s', /canary.*uses .*B of memory, the old one/],
    ['writes error lines', 'error-lines:4/s', /canary.*wrote \d+ error lines/],
  ])('that %s is found out by comparison, and fails no request', async (_, chaos, said) => {
    await project.commitRelease({ version: '2.1.0', chaos });
    // What a single container may do is left open here: only the one beside it shows that it is too much.
    const alone = {
      'error-patterns': 'broken on purpose',
      'on-warning': 'high: warn, medium: warn, low: warn',
      'max-memory': '8GB',
    };
    const done = await underLoad({ url: project.url }, () => update(project, 'app', { ...CANARY, ...alone }));
    const { report, log } = done.result;
    expect(report.outcome, log).toBe('rolled-back');
    expect(report.error?.message, log).toMatch(said);
    expect(failuresOf(done), log).toEqual({});
    expect(await version()).toBe('1.1.0');
  });

  it('that nobody asks is inconclusive, and on-inconclusive says what becomes of it', async () => {
    await project.commitRelease({ version: '3.0.0' });
    const back = await update(project, 'app', { ...CANARY, 'on-inconclusive': 'rollback' });
    expect(back.report.outcome, back.log).toBe('rolled-back');
    expect(back.log).toContain('inconclusive');
    expect(await version()).toBe('1.1.0');
    const on = await update(project, 'app', { ...CANARY, 'on-inconclusive': 'continue', force: 'true' });
    expect(on.report.outcome, on.log).toBe('deployed');
    expect(await version()).toBe('3.0.0');
  });
});
