import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { checkoutState, engineState } from '../support/engine-state.js';
import { startGitHub, type GitHub } from '../support/github.js';
import { carryOut, type Carried } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';

/** What a pull request would do: planned on the host that it would change, and read by everybody. */
const SECRET = 'correct-horse-battery-staple';
const COMPOSE = (more = '', service = ''): string => `
services:
  app:
    build:
      context: .
      args:
        BASE_IMAGE: \${BASE_IMAGE:-node:22-alpine}
    environment:
      LOG_LEVEL: info
      DATABASE_PASSWORD: \${DATABASE_PASSWORD}
${service}
${more}
`;

let project: Project;
let github: GitHub;
let outside: string;
beforeAll(async () => {
  outside = mkdtempSync(join(tmpdir(), 'rr-outside-'));
  writeFileSync(join(outside, 'host.env'), `STOLEN=${SECRET}\n`);
  writeFileSync(join(outside, 'host.yaml'), `services:\n  base:\n    environment:\n      STOLEN: ${SECRET}\n`);
  project = await makeProject({
    fixture: 'plain',
    files: { 'compose.yaml': COMPOSE() },
    env: { DATABASE_PASSWORD: SECRET },
  });
  const first = await carryOut(project, { procedure: 'code-update', service: 'app', watch: '0s' });
  expect(first.report.outcome, first.log).toBe('deployed');
});
afterAll(async () => {
  rmSync(outside, { recursive: true, force: true });
  await project.cleanup();
});
beforeEach(async () => {
  github = await startGitHub();
});
afterEach(() => {
  github.close();
  expect(github.problems).toEqual([]);
});

/** Plans a commit as plan.yml does, and shows that nothing on the host is another than before. */
async function planned(commit: string, ref = 'refs/pull/7/merge'): Promise<Carried> {
  const [engine, checkout] = [await engineState(project), await checkoutState(project)];
  const environment = {
    ...process.env,
    GITHUB_REPOSITORY: 'acme/roma',
    GITHUB_API_URL: github.apiUrl,
  };
  const inputs = { procedure: 'plan', ref: commit, 'github-token': 't0ken-of-the-test' };
  const carried = await carryOut(project, inputs, { environment, ref });
  expect(await engineState(project)).toEqual(engine);
  expect(await checkoutState(project)).toBe(checkout);
  expect(JSON.stringify(carried.report) + carried.log).not.toContain(SECRET);
  for (const { body } of github.comments) expect(body).not.toContain(SECRET);
  return carried;
}

const commitWith = (files: Record<string, string>): Promise<string> => project.commitRelease({ files });

describe('a plan', () => {
  it('says which service changes and why, that its image will be built, and what of the configuration', async () => {
    const compose = COMPOSE('', '    labels: { team: blue }').replace('LOG_LEVEL: info', 'LOG_LEVEL: debug');
    const commit = await commitWith({ 'compose.yaml': compose });
    const { report, log } = await planned(commit);
    expect(report.outcome, log).toBe('completed');
    expect(report.headline).toBe(`deploying ${commit.slice(0, 12)} would change app`);
    const [comment, ...more] = github.comments;
    expect(more).toEqual([]);
    expect(comment?.number).toBe(7);
    for (const part of [
      'will be built',
      '- environment.LOG_LEVEL: info',
      '+ environment.LOG_LEVEL: debug',
      'recreate',
    ]) {
      expect(comment?.body).toContain(part);
    }
    expect(comment?.body).toContain('+ labels.team: blue');
    expect(report.plan?.preparation.map(({ kind }) => kind)).toEqual(['build-image']);
  });

  it('is one comment, which the next push brings up to date', async () => {
    await planned(await commitWith({ 'compose.yaml': COMPOSE('', '    labels: { team: red }') }));
    const commit = await commitWith({ 'compose.yaml': COMPOSE('', '    labels: { team: green }') });
    await planned(commit);
    expect(github.comments).toHaveLength(1);
    expect(github.comments[0]?.body).toContain('team: green');
    expect(github.comments[0]?.body).toContain(commit.slice(0, 12));
  });

  it('leaves a comment alone that a person made of it', async () => {
    await planned(await commitWith({ 'compose.yaml': COMPOSE('', '    labels: { team: red }') }));
    const [ours] = github.comments;
    const copied = ours?.body ?? '';
    github.comments.unshift({ id: 99, number: 7, foreign: true, body: copied });
    await planned(await commitWith({ 'compose.yaml': COMPOSE('', '    labels: { team: green }') }));
    expect(github.comments).toHaveLength(2);
    expect(github.comments[0]?.body).toBe(copied);
    expect(ours?.body).toContain('team: green');
  });

  it('shows all of a service that is new', async () => {
    const risky = COMPOSE('', '  other:\n    image: busybox\n    privileged: true\n    volumes: ["/:/host"]');
    const { report, log } = await planned(await commitWith({ 'compose.yaml': risky }));
    expect(report.outcome, log).toBe('completed');
    for (const part of ['--- other: not there', '+ image: busybox', '+ privileged: true', '"source":"/"']) {
      expect(github.comments[0]?.body).toContain(part);
    }
  });

  it('says that nothing changes', async () => {
    const head = await project.git('rev-parse', 'HEAD');
    const { report } = await planned(head);
    expect(report.headline).toBe(`deploying ${head.slice(0, 12)} would change nothing that runs`);
  });

  it('says that an image will be built where only its arguments change', async () => {
    const compose = COMPOSE()
      .replaceAll('context: .', 'context: ./app')
      .replace('args:', 'args:\n        COLOUR: blue');
    const { report } = await planned(await commitWith({ 'compose.yaml': compose, 'app/Dockerfile': 'FROM scratch\n' }));
    expect(report.plan?.preparation.map(({ kind }) => kind)).toEqual(['build-image']);
    expect(github.comments[0]?.body).toContain('will be built');
  });

  it('names a service that is new, and one that is gone', async () => {
    const compose = COMPOSE().replaceAll('app:', 'web:');
    const { report } = await planned(await commitWith({ 'compose.yaml': compose }));
    expect(report.plan?.services).toMatchObject([{ service: 'web', decision: { kind: 'first-deploy' } }]);
    expect(github.comments[0]?.body).toContain('`app` is no longer in the compose files');
  });

  it('is in the summary alone when GitHub takes no comment, and outside of a pull request', async () => {
    const head = await project.git('rev-parse', 'HEAD');
    github.faults.push({ method: 'POST', path: /\/comments$/, with: 403, times: 9 });
    const { report, log } = await planned(head);
    expect(report.outcome).toBe('completed');
    expect(log).toContain('pull-requests: write');
    await planned(head, 'refs/heads/main');
    expect(github.comments).toEqual([]);
  });
});

describe('a commit that reaches for the host', () => {
  it.each([
    ['a file of variables', () => COMPOSE('', `    env_file: ${join(outside, 'host.env')}`)],
    ['a service to extend', () => COMPOSE('', `    extends: { file: ${join(outside, 'host.yaml')}, service: base }`)],
    ['a file to include', () => COMPOSE(`include: [${join(outside, 'host.yaml')}]`)],
    ['a file to include by going up', () => COMPOSE('include: [../../../../../../../../../etc/passwd]')],
  ])('finds no %s there', async (_, compose) => {
    const { report, log } = await planned(await commitWith({ 'compose.yaml': compose() }));
    expect(report.outcome, log).toBe('refused');
    expect(report.error?.code).toBe('E_COMPOSE_FILE');
    expect(report.error?.next).toContain('has to be in the repository');
    expect(github.comments[0]?.body).toContain('this commit cannot be planned');
  });

  it.each(['/proc/cmdline', '/proc/version', '/proc/cpuinfo'])('is not shown what %s says', async (file) => {
    const words = readFileSync(file, 'utf8').split(/[\s=:,]+/);
    const telling = words.reduce((longest, word) => (word.length > longest.length ? word : longest));
    expect(telling.length).toBeGreaterThan(8);
    const { report, log } = await planned(
      await commitWith({ 'compose.yaml': COMPOSE('', `    env_file: ${file}\n    labels: { team: blue }`) }),
    );
    expect(report.outcome, log).toBe('completed');
    expect(github.comments[0]?.body).toContain('labels.team');
    for (const said of [JSON.stringify(report), log, github.comments[0]?.body]) expect(said).not.toContain(telling);
  });

  it('has no hook of the checkout run, no submodule fetched, and nothing of it written down', async () => {
    const mark = join(outside, 'hooked');
    const hook = join(project.dir, '.git/hooks/post-checkout');
    writeFileSync(hook, `#!/bin/sh\ntouch ${mark}\n`, { mode: 0o755 });
    const config = await project.git('config', '--list', '--local');
    const modules = '[submodule "sub"]\n\tpath = sub\n\turl = https://submodule.test/sub.git\n';
    const { report, log } = await planned(await commitWith({ '.gitmodules': modules, 'compose.yaml': COMPOSE() }));
    rmSync(hook);
    expect(report.outcome, log).toBe('completed');
    expect(() => execFileSync('ls', [mark], { stdio: 'pipe' })).toThrow();
    expect(await project.git('config', '--list', '--local')).toBe(config);
    expect(log).not.toContain('worktree add');
  });

  it('finds nothing behind a link either', async () => {
    const work = mkdtempSync(join(tmpdir(), 'rr-work-'));
    const git = (...args: string[]): string =>
      execFileSync('git', ['-C', work, '-c', 'user.name=Test', '-c', 'user.email=test@example.invalid', ...args], {
        encoding: 'utf8',
      }).trim();
    execFileSync('git', ['clone', '--quiet', project.origin, work]);
    symlinkSync(join(outside, 'host.env'), join(work, 'link.env'));
    writeFileSync(join(work, 'compose.yaml'), COMPOSE('', '    env_file: link.env'));
    git('add', '--all');
    git('commit', '--quiet', '--message', 'a link');
    git('push', '--quiet', 'origin', 'HEAD:refs/heads/link');
    const { report, log } = await planned(git('rev-parse', 'HEAD'));
    rmSync(work, { recursive: true, force: true });
    expect(report.outcome, log).toBe('refused');
    expect(report.error?.message).toContain('link.env');
  });

  it('gets the names of the variables of the host and stand-ins for their values', async () => {
    const compose = COMPOSE('', '    labels: { leak: "${DATABASE_PASSWORD}" }\n    env_file: .env');
    const { report, log } = await planned(await commitWith({ 'compose.yaml': compose }));
    expect(report.outcome, log).toBe('completed');
    expect(github.comments[0]?.body).toContain('environment.BASE_IMAGE: value-of-base-image');
    // The stand-in of a variable with a secret-like name is hidden as its value would be.
    expect(github.comments[0]?.body).toContain('labels.leak: ***');
  });

  it('has none of its commands run', async () => {
    const mark = join(outside, 'executed');
    const commands = `x-rolling-restart:\n  hooks:\n    before-code-update: touch ${mark}\n  services:\n    app:\n      release-command: touch ${mark}\n`;
    const { report, log } = await planned(
      await commitWith({ 'compose.yaml': COMPOSE(commands), Dockerfile: `FROM scratch\nRUN touch ${mark}\n` }),
    );
    expect(report.outcome, log).toBe('completed');
    // Whoever reviews it is told of what would run on the host.
    expect(github.comments[0]?.body).toContain(`+ hooks.before-code-update: touch ${mark}`);
    expect(github.comments[0]?.body).toContain(`+ services.app.release-command: touch ${mark}`);
    expect(report.headline).toContain('and how it is changed from then on');
    expect(log).not.toContain('#1 ');
    expect(() => execFileSync('ls', [mark], { stdio: 'pipe' })).toThrow();
  });
});
