import { afterEach, beforeEach, expect, it } from 'vitest';
import { openDoor } from '../support/doors.js';
import { startGitHub, type GitHub, type KeptDeployment } from '../support/github.js';
import { update } from '../support/live.js';
import { carryOut, type Carried } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';
import { served } from '../support/served.js';

let project: Project;
let github: GitHub;
beforeEach(async () => {
  github = await startGitHub();
  project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': served() } });
});
afterEach(async () => {
  github.close();
  await project.cleanup();
  expect(github.problems).toEqual([]);
});

const INPUTS = {
  environment: 'production',
  'github-token': 't0ken-of-the-test',
  'environment-url': 'https://roma.test',
};
const variables = (): Record<string, string> => ({ GITHUB_REPOSITORY: 'acme/roma', GITHUB_API_URL: github.apiUrl });

const change = (inputs: Readonly<Record<string, string>> = {}): Promise<Carried> =>
  update(project, 'app', { ...INPUTS, ...inputs }, { environment: { ...process.env, ...variables() } });

const told = ({ statuses }: KeptDeployment): readonly string[] => statuses.map(({ state }) => state).reverse();
/** Oldest first. */
const all = (): readonly (readonly string[])[] => [...github.deployments].reverse().map(told);
const head = (): Promise<string> => project.git('rev-parse', 'HEAD');

it('records each change once, with the commit that is live, and says of every older one what became of it', async () => {
  const first = await change();
  expect(first.report.outcome, first.log).toBe('deployed');
  expect(all()).toEqual([['in_progress', 'success']]);
  expect(github.deployments[0]).toMatchObject({ sha: await head(), environment: 'production' });
  expect(github.deployments[0]?.statuses[0]).toMatchObject({ environment_url: 'https://roma.test' });
  expect(JSON.stringify(first.report.findings)).toContain('deployment 1: success');
  const good = await head();

  await project.commitRelease({ version: '2.0.0', chaos: 'exit-at-once' });
  const bad = await change();
  expect(bad.report.outcome, bad.log).toBe('rolled-back');
  expect(all()).toEqual([
    ['in_progress', 'success', 'success'],
    ['in_progress', 'failure'],
  ]);
  expect(github.deployments[0]?.sha).not.toBe(good);
  expect(github.deployments[1]?.statuses[0]?.description).toMatch(/^live again: [0-9a-f]{12} was rolled back/);

  await project.commitRelease({ version: '3.0.0' });
  await change();
  const back = await change({ procedure: 'rollback', 'rollback-to': 'previous' });
  expect(back.report.outcome, back.log).toBe('deployed');
  expect(all()).toEqual([
    ['in_progress', 'success', 'success', 'inactive'],
    ['in_progress', 'failure'],
    ['in_progress', 'success', 'inactive'],
    ['in_progress', 'success'],
  ]);
  expect(github.deployments[0]).toMatchObject({ sha: good, statuses: [{ state: 'success' }, {}] });

  // Nothing is recorded by what only looks.
  await change({ 'dry-run': 'true' });
  await change({ procedure: 'check' });
  expect(github.deployments).toHaveLength(4);
  // The release that was left is refused: that is a failure of its own, and the one that is live stays so.
  const again = await change();
  expect(again.report.outcome, again.log).toBe('refused');
  expect(all().slice(3)).toEqual([
    ['in_progress', 'success'],
    ['in_progress', 'failure'],
  ]);
  expect([first, bad, back, again].map(({ log }) => log).join('')).not.toContain('t0ken-of-the-test');
});

it('deploys all the same when GitHub is down, and the report says what is not recorded', async () => {
  github.faults.push({ method: 'POST', path: /deployments$/, with: 503, times: 99 });
  const done = await change();
  expect(done.report.outcome, done.log).toBe('deployed');
  expect(done.log).toContain('the deployment in production could not be recorded');
  expect(JSON.stringify(done.report.findings)).toContain('not recorded');
  expect((await project.get('/')).status).toBe(200);
});

it('offers a pull request that takes out what was rolled back, when it has a token for it', async () => {
  await change();
  const commit = await project.commitRelease({ version: '2.0.0', chaos: 'exit-at-once' });
  github.merged.set(commit, { number: 7, title: 'A bad idea' });
  const bad = await change({ 'revert-token': 'r3vert-of-the-test' });
  expect(bad.report.outcome, bad.log).toBe('rolled-back');
  expect(github.reverted).toMatchObject([{ pull: 'PR_7', authorization: 'token r3vert-of-the-test' }]);
  expect(github.reverted[0]?.body).toMatch(/^Reverts #7: the release of [0-9a-f]{12} was rolled back on test \(app\)/);
  expect(bad.report.nextSteps.join('\n')).toContain('merge #99 (https://github.test/acme/roma/pull/99)');
  expect(bad.log).not.toContain('r3vert-of-the-test');

  // Without a token, or where no pull request brought the commit, nothing is opened.
  github.merged.set(await project.commitRelease({ version: '3.0.0', chaos: 'exit-at-once' }), {
    number: 8,
    title: 'Again',
  });
  expect((await change()).report.outcome).toBe('rolled-back');
  const direct = await project.commitRelease({ version: '4.0.0', chaos: 'exit-at-once' });
  const unmerged = await change({ 'revert-token': 'r3vert-of-the-test' });
  expect(unmerged.report.outcome).toBe('rolled-back');
  expect(unmerged.report.nextSteps.join('\n')).toContain(`${direct.slice(0, 12)}). No merged pull request brought it`);
  expect(github.reverted).toHaveLength(1);
});

it('offers the same after a rollback that was asked for, and by the re-run of an older one, but not on the way forward', async () => {
  const token = { 'revert-token': 'r3vert-of-the-test' };
  await change();
  const first = await head();
  const second = await project.commitRelease({ version: '2.0.0' });
  github.merged.set(second, { number: 7, title: 'Not so good' });
  await change();

  const back = await change({ procedure: 'rollback', 'rollback-to': 'previous', ...token });
  expect(back.report.outcome, back.log).toBe('deployed');
  expect(github.reverted).toMatchObject([{ pull: 'PR_7' }]);
  expect(back.report.nextSteps.join('\n')).toContain(
    `merge #99 (https://github.test/acme/roma/pull/99), which takes out what ${second.slice(0, 12)} brought`,
  );

  const forward = await change({ procedure: 'rollback', 'rollback-to': `git:${second}`, force: 'true', ...token });
  expect(forward.report.outcome, forward.log).toBe('deployed');
  expect(github.reverted).toHaveLength(1);

  // What a newer one has replaced is no bad release: it can be gone back to.
  const older = await change({ ref: first, 'allow-downgrade': 'true', ...token });
  expect(older.report.outcome, older.log).toBe('deployed');
  expect(github.reverted).toMatchObject([{ pull: 'PR_7' }, { pull: 'PR_7' }]);

  // GitHub that does not answer is said, and nothing else is different.
  await change({ procedure: 'rollback', 'rollback-to': `git:${second}`, force: 'true' });
  github.faults.push({ method: 'GET', path: /\/pulls$/, with: 403, times: 9 });
  const lost = await change({ procedure: 'rollback', 'rollback-to': 'previous', ...token });
  expect(lost.report.outcome, lost.log).toBe('deployed');
  expect(lost.report.nextSteps.join('\n')).toContain(
    'GitHub opened no pull request: correct it, or take it out with git revert',
  );
});

it('ends the record of a run that was killed: by post, and by the next run where there is no post', async () => {
  await change();
  const inputs = { procedure: 'code-update', service: 'app', watch: '30s', ...INPUTS };
  await project.commitRelease({ version: '2.0.0' });
  const killed = openDoor(project, 'main', inputs, {}, variables());
  await killed.said('is live and verified');
  await killed.kill();
  expect(all().at(-1)).toEqual(['in_progress']);
  const repair = openDoor(project, 'post', inputs, killed.state(), variables());
  await repair.ended;
  expect(repair.output()).toContain('was verified and stays');
  expect(all().at(-1), repair.output()).toEqual(['in_progress', 'success']);

  await project.commitRelease({ version: '3.0.0' });
  const lost = openDoor(project, 'main', inputs, {}, variables());
  await lost.said('✓ replace');
  await lost.kill();
  // Whoever comes next needs no environment of its own for that.
  const next = await carryOut(
    project,
    { procedure: 'health-restart', service: 'app', 'github-token': 't0ken-of-the-test' },
    { environment: { ...process.env, ...variables() } },
  );
  expect(next.report.outcome, next.log).toBe('deployed');
  expect(all().at(-1), next.log).toEqual(['in_progress', 'failure']);
  expect(github.deployments[0]?.statuses[0]?.description).toContain('was not finished');
});
