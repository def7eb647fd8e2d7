import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { serveGit } from '../support/git-files.js';
import { filesBelow, KINDS, leaksIn, plant, plantedFiles, untracked, watchProcesses } from '../support/planted.js';
import { makeProject, type Project } from '../support/project.js';
import { makeReceiver, type Receiver } from '../support/receiver.js';
import { makeJob, type Job, type RunnerResult } from '../support/runner.js';

/** One project with a secret of each kind, whose service says everything that it knows. */
const planted = plant();
const written = new Map<string, string>();
let project: Project;
let job: Job;
let hook: Receiver;
let git: Awaited<ReturnType<typeof serveGit>>;

beforeAll(async () => {
  const own = untracked(planted);
  [project, job, hook] = await Promise.all([
    makeProject({ fixture: 'plain', files: plantedFiles(planted), env: own.env }),
    makeJob(),
    makeReceiver(),
  ]);
  for (const [name, text] of Object.entries(own.files)) await writeFile(join(project.dir, name), text);
  await mkdir(join(project.root, 'state'));
  git = await serveGit(project.root, planted['remote-address']);
  const address = `${git.url}/origin.git`.replace('://', `://x-access-token:${planted['remote-address']}@`);
  await project.git('remote', 'set-url', 'origin', address);
});

afterAll(async () => {
  hook.close();
  await Promise.all([git.close(), job.remove(), project.cleanup()]);
});

async function run(
  procedure: string,
  commit: string,
  more: Readonly<Record<string, string>> = {},
): Promise<RunnerResult> {
  const processes = watchProcesses();
  const deploys = procedure === 'code-update';
  const result = await job.run({
    inputs: {
      procedure,
      'working-directory': project.dir,
      'project-name': project.name,
      'state-dir': join(project.root, 'state'),
      'min-free-disk': '10MB',
      'github-token': planted.token,
      ...(procedure === 'check'
        ? {}
        : { 'webhook-url': `${hook.url}/${planted['webhook-address']}`, 'webhook-secret': planted['webhook-key'] }),
      ...(deploys
        ? { watch: '1s', 'readiness-timeout': '15s', 'smoke-test': `: login --password ${planted['user-command']}` }
        : {}),
      ...more,
    },
    // The debug log is written as well.
    environment: { GITHUB_SHA: commit, GITHUB_API_URL: 'http://127.0.0.1:9', RUNNER_DEBUG: '1' },
  });
  const place = (what: string): string => `${procedure} of ${commit.slice(0, 7)}, ${what}`;
  written.set(place('log'), result.log);
  written.set(place('summary'), result.summary);
  written.set(place('outputs'), JSON.stringify(result.outputs));
  written.set(place('annotations'), JSON.stringify(result.annotations));
  written.set(place('state'), JSON.stringify(result.state));
  written.set(place('processes'), await processes.stop());
  return result;
}

it(`none of ${KINDS.length} kinds of planted secrets is in anything that passing and failing runs write or send`, async () => {
  const first = await run('code-update', project.firstCommit);
  expect(first.outputs['outcome'], first.log).toBe('deployed');
  expect(first.log).toContain('installing with ***');
  expect(first.log).toMatch(/Fetching|checked out already/);

  const bad = await run('code-update', await project.commitRelease({ version: '2.0.0', chaos: 'never-healthy' }));
  expect(bad.outputs['outcome'], bad.log).toBe('rolled-back');
  expect(bad.exitCode).toBe(1);

  const good = await run('code-update', await project.commitRelease({ version: '3.0.0' }));
  expect(good.outputs['outcome'], good.log).toBe('deployed');
  const check = await run('check', project.firstCommit);
  expect(check.outputs['outcome'], check.log).toBe('completed');
  const emergency = await run('emergency', project.firstCommit, { service: 'app', watch: '1s' });
  expect(emergency.outputs['outcome'], emergency.log).toBe('deployed');

  for (const [place, text] of await filesBelow(join(project.root, 'state'))) written.set(place, text);
  written.set('what the webhook got', JSON.stringify(hook.received.map(({ text, headers }) => ({ text, headers }))));
  // What is searched is there: logs, health output, process lists and our own processes.
  const places = [...written].filter(([, text]) => text.length > 0).map(([place]) => place.replace(/^.*\//, ''));
  for (const file of ['log.txt', 'inspect.json', 'top.txt', 'report.json', 'incidents.log']) {
    expect(
      places.some((place) => place.endsWith(file)),
      `${file} in ${places.join(', ')}`,
    ).toBe(true);
  }
  const all = [...written.values()].join('\n');
  expect(all).toContain('ERROR APP_PASSWORD ***');
  expect(all).toMatch(/y{200}/);
  expect(all).toMatch(/planted\.mjs --api-token \*\*\*/);
  expect([...written].find(([place]) => place.endsWith('processes'))?.[1]).toMatch(
    /docker(?:-compose)? compose .* build/,
  );
  expect(hook.received.length).toBeGreaterThan(4);

  expect(leaksIn(written, planted)).toEqual([]);
  // Names stay readable, and a secret that is one is told.
  expect(first.log).toContain('app');
  expect(all).not.toMatch(/service \*\*\*|-\*\*\*-1/);
  expect(check.log).toContain('the value of DB_PASSWORD is the name of service app: it is not hidden in the log');
});
