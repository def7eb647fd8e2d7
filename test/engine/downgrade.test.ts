import { afterAll, beforeAll, expect, it } from 'vitest';
import { historyOf, liveOf } from '../support/live.js';
import { carryOut, type Carried } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';
import { isBad } from '../../src/model/release.js';

/** Runs of a workflow that are run again: each has the commit that it had. One story. */
let project: Project;
let [one, two] = ['', ''];
beforeAll(async () => {
  project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': served() } });
  one = project.firstCommit;
  const first = await runOf(one);
  expect(first.report.outcome, first.log).toBe('deployed');
  two = await project.commitRelease({ version: '2.0.0' });
  const second = await runOf(two);
  expect(second.report.outcome, second.log).toBe('deployed');
});
afterAll(() => project.cleanup());

/** `code-update` as a workflow asks for it: of the commit that the run is for. */
const runOf = (sha: string, inputs: Readonly<Record<string, string>> = {}): Promise<Carried> =>
  carryOut(
    project,
    { procedure: 'code-update', service: 'app', ...inputs },
    { host: (run) => ({ ...run, invocation: { ...run.invocation, sha } }) },
  );

it('an older one is refused as a downgrade, also in a dry run, and nothing is touched', async () => {
  const before = await liveOf(project, 'app');
  const again = await runOf(one);
  expect(again.report.outcome, again.log).toBe('refused');
  expect(again.report.headline).toContain('this would be a downgrade');
  expect(again.report.nextSteps[0]).toContain(`rollback-to: git:${one.slice(0, 12)}`);
  expect(await liveOf(project, 'app')).toEqual(before);
  const dry = await runOf(one, { 'dry-run': 'true' });
  expect(dry.report.outcome, dry.log).toBe('refused');
  const warned = await runOf(one, { 'dry-run': 'true', gates: 'downgrade=warn' });
  expect(warned.report.outcome, warned.log).toBe('completed');
});

it('an older one is a rollback with allow-downgrade: from the kept image, and what it left is bad', async () => {
  const left = await liveOf(project, 'app');
  const back = await runOf(one, { 'allow-downgrade': 'true' });
  expect(back.report, back.log).toMatchObject({ outcome: 'deployed', procedure: 'rollback' });
  expect(back.log).not.toContain('build-image');
  expect((await project.get('/')).text).toMatch(/^1\.0\.0 /);
  expect(await project.git('rev-parse', 'HEAD')).toBe(one);
  expect(isBad(await historyOf(project, 'app'), left.release ?? '')).toBe(true);
});

it('a newer one with allow-downgrade is a deploy like any other', async () => {
  const three = await project.commitRelease({ version: '3.0.0' });
  const done = await runOf(three, { 'allow-downgrade': 'true' });
  expect(done.report, done.log).toMatchObject({ outcome: 'deployed', procedure: 'code-update' });
  expect((await project.get('/')).text).toMatch(/^3\.0\.0 /);
});

it('a commit that is named is what somebody asked for', async () => {
  const done = await carryOut(project, { procedure: 'code-update', service: 'app', ref: one });
  expect(done.report.outcome, done.log).toBe('deployed');
  expect((await project.get('/')).text).toMatch(/^1\.0\.0 /);
});
