import { readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ticked } from '../support/checklist.js';
import { openDoor } from '../support/doors.js';
import { makeOwnBase } from '../support/own-image.js';
import { carryOut, type Carried } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';
import { startRegistry } from '../../scripts/lib/registry.mjs';
import { docker } from '../support/engine-containers.js';
import { liveOf } from '../support/live.js';
import { headerOf, makeMailbox, type Mailbox } from '../support/mailbox.js';
import { makeReceiver, type Receiver } from '../support/receiver.js';
import { served } from '../support/served.js';

const DATA = `${served({ more: "    volumes: ['data:/data']\n" })}volumes:\n  data:\n`;

/** A maintenance in its phases, with a status page and a mail server that are really called. */
describe('maintenance in phases', () => {
  let project: Project;
  let page: Receiver;
  /** What the page answers. */
  let answers = 204;
  let box: Mailbox;
  let registry: Awaited<ReturnType<typeof startRegistry>>;
  let base: string;

  beforeAll(async () => {
    page = await makeReceiver((response) => response.writeHead(answers).end('so be it'));
    box = await makeMailbox();
    registry = await startRegistry();
    base = `${registry.address}/rr-maintenance-base:latest`;
    await makeOwnBase(base);
    await docker('push', '--quiet', base);
    project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': DATA }, env: { BASE_IMAGE: base } });
    const { report, log } = await carryOut(project, { procedure: 'code-update' });
    expect(report.outcome, log).toBe('deployed');
  });
  afterEach(() => page.received.splice(0));
  afterAll(async () => {
    page.close();
    box.close();
    await project.cleanup();
    await registry.stop();
    await docker('rmi', '--force', base).catch(() => undefined);
  });

  const mailInputs = (): Readonly<Record<string, string>> => ({
    'smtp-url': `smtp://127.0.0.1:${box.port}`,
    'email-from': 'deploy@example.com',
    'email-to': 'team@example.com',
  });
  const run = (phase: string, inputs: Readonly<Record<string, string>> = {}): Promise<Carried> =>
    carryOut(project, {
      procedure: 'maintenance',
      phase,
      'status-page-url': `${page.url}/status`,
      'status-page-announce-url': `${page.url}/maintenance`,
      'status-page-complete-url': `${page.url}/maintenance/complete`,
      ...mailInputs(),
      ...inputs,
    });
  /** Every thread that the mails up to now were in: what they are a reply to, and their subject. */
  const threads = (): ReadonlySet<string> =>
    new Set(
      box.mails.splice(0).map((mail) => {
        expect(headerOf(mail, 'In-Reply-To')).toBe(headerOf(mail, 'References'));
        return `${headerOf(mail, 'References')} ${headerOf(mail, 'Subject').replace(/^Re: /, '')}`;
      }),
    );
  const updated = ({ report }: Carried) => ticked(report, 'Updated status page');
  let ofWindow: readonly string[] = [];
  const told = (): readonly (readonly [string, unknown])[] => page.received.map(({ path, json }) => [path, json]);

  it('announce tells when it will be, and changes nothing', async () => {
    const before = await project.containerId('app');
    const { report, log } = await run('announce', {
      'maintenance-start': '2031-12-01T02:00:00Z',
      'maintenance-duration': '15m',
      impact: 'minimal',
      reason: 'Routine updates',
    });
    expect(report.outcome, log).toBe('completed');
    expect(told()).toEqual([
      [
        '/maintenance',
        { scheduled: '2031-12-01T02:00:00.000Z', duration: '15min', impact: 'minimal', reason: 'Routine updates' },
      ],
    ]);
    expect(await project.containerId('app')).toBe(before);
  });

  it('precheck refuses without a current backup, with all that is missing, and passes with one', async () => {
    await project.commitRelease({ version: '2.0.0' });
    const refused = await run('precheck', { 'test-command': 'echo broken >&2; exit 3' });
    expect(refused.report.outcome, refused.log).toBe('refused');
    expect(refused.report.error?.message).toMatch(/no backup of app.*test-command/i);
    const backup = await carryOut(project, { procedure: 'backup', service: 'app' });
    expect(backup.report.outcome, backup.log).toBe('completed');
    const before = await project.containerId('app');
    // The tests run where the new code was built, not where the live files are.
    const passed = await run('precheck', { 'test-command': 'grep -q 2.0.0 -r . --include=release.json' });
    expect(passed.report.outcome, passed.log).toBe('completed');
    expect(passed.log).toMatch(
      /gate backup-age: app: the last backup is .* old[^]*✓ app: backup \S+ was read to its end/,
    );
    expect(await project.containerId('app')).toBe(before);
    expect(told()).toEqual([]);
  });

  it('perform, verify and complete: maintenance, operational, and a summary that is computed', async () => {
    const planned = await run('perform', { 'dry-run': 'true' });
    expect(planned.report.plan?.services[0]?.decision.kind, planned.log).toBe('change');
    expect(planned.report.headline).not.toContain('nothing would change');
    const performed = await run('perform');
    expect(performed.report.outcome, performed.log).toBe('deployed');
    expect((await project.get('/')).text).toMatch(/^2\.0\.0 /);
    expect(told()).toEqual([['/status', { status: 'maintenance' }]]);
    expect(updated(performed)).toMatchObject({ state: 'done', detail: 'maintenance' });
    const verified = await run('verify', { 'smoke-test': 'true', 'load-test': 'echo loaded' });
    expect(verified.report.outcome, verified.log).toBe('completed');
    expect(updated(verified)).toMatchObject({ state: 'done', detail: 'operational' });
    expect(verified.log).toMatch(/│ loaded/);
    expect(told().at(-1)).toEqual(['/status', { status: 'operational' }]);
    const completed = await run('complete');
    expect(completed.report.outcome, completed.log).toBe('completed');
    expect(told().at(-1)).toEqual([
      '/maintenance/complete',
      {
        actual_duration: expect.stringMatching(/^\d/) as string,
        issues: 'none',
        notes: expect.stringMatching(/^app: deployed; verified; .*planned 15 min; announced .* before$/) as string,
      },
    ]);
  });

  it('all mails of the window are in one thread, though each phase was a run of its own', async () => {
    // announce thrice, with the announcement; precheck twice, perform, verify and complete as they began and ended.
    expect(box.mails).toHaveLength(3 + 2 * 5);
    expect(new Set(box.mails.map((mail) => headerOf(mail, 'Message-ID'))).size).toBe(box.mails.length);
    ofWindow = [...threads()];
    expect(ofWindow).toEqual([
      expect.stringMatching(/^<test-.*@rolling-restart\.invalid> \[rr-.*\] maintenance test-/),
    ]);
  });

  it('perform that fails in its build never touches the page; it is another window, and so another thread', async () => {
    await project.commitRelease({ version: '3.0.0' });
    const failed = await run('perform', { 'build-command': 'exit 5' });
    expect(failed.report.outcome, failed.log).toBe('failed');
    expect(told()).toEqual([]);
    const mails = [...threads()];
    expect(mails).toHaveLength(1);
    expect(mails).not.toEqual(ofWindow);
  });

  it('perform that is rolled back leaves the page operational; one that is not says that it still says maintenance', async () => {
    await project.commitRelease({ version: '4.0.0', chaos: 'exit-at-once' });
    const back = await run('perform');
    expect(back.report.outcome, back.log).toBe('rolled-back');
    expect(told()).toEqual([
      ['/status', { status: 'maintenance' }],
      ['/status', { status: 'operational' }],
    ]);
    await project.commitRelease({ version: '4.1.0', chaos: 'exit-at-once' });
    const failed = await run('perform', { 'auto-rollback': 'false' });
    expect(failed.report.outcome, failed.log).toBe('failed');
    expect(told().at(-1)).toEqual(['/status', { status: 'maintenance' }]);
    expect(failed.report.nextSteps.join('\n')).toMatch(/status page still says maintenance.*phase: verify/);
    const wrong = await run('verify', { 'readiness-timeout': '5s' });
    expect(wrong.report.outcome, wrong.log).toBe('failed');
    expect(wrong.report.nextSteps.join('\n')).toMatch(/status page still says maintenance/);
    const restored = await carryOut(project, { procedure: 'rollback', service: 'app', 'rollback-to': 'previous' });
    expect(restored.report.outcome, restored.log).toBe('deployed');
    const right = await run('verify');
    expect(right.report.outcome, right.log).toBe('completed');
    expect(told().at(-1)).toEqual(['/status', { status: 'operational' }]);
  });

  it('a run that was killed with the page on maintenance: the next one says so', async () => {
    await project.commitRelease({ version: '4.2.0' });
    box.mails.splice(0);
    const inputs = {
      ...{ procedure: 'maintenance', phase: 'perform', watch: '1m', 'status-page-url': `${page.url}/status` },
      ...mailInputs(),
    };
    const main = openDoor(project, 'main', inputs);
    try {
      await main.said(/is live/);
    } finally {
      await main.kill();
    }
    expect(told().at(-1)).toEqual(['/status', { status: 'maintenance' }]);
    const next = openDoor(project, 'post', inputs, main.state());
    await next.ended;
    expect(next.output()).toMatch(/the status page still says maintenance/);
    const right = await run('verify');
    expect(right.report.outcome, right.log).toBe('completed');
    expect(told().at(-1)).toEqual(['/status', { status: 'operational' }]);
    // It began, it was killed; the verification began and ended.
    expect(box.mails).toHaveLength(4);
    expect(threads().size).toBe(1);
  });

  it('a load test that fails: red, the page stays on maintenance, and complete computes the issues', async () => {
    await project.commitRelease({ version: '4.3.0' });
    const performed = await run('perform');
    expect(performed.report.outcome, performed.log).toBe('deployed');
    const failed = await run('verify', { 'smoke-test': 'true', 'load-test': 'echo too slow >&2; exit 9' });
    expect(failed.report, failed.log).toMatchObject({ outcome: 'failed', error: { code: 'E_COMMAND' } });
    expect(failed.report.error?.message).toMatch(/load-test ended with exit code 9/);
    expect(failed.report.error?.excerpt.flatMap(({ lines }) => lines)).toContain('too slow');
    expect(told()).toEqual([['/status', { status: 'maintenance' }]]);
    expect(failed.report.nextSteps.join('\n')).toMatch(/status page still says maintenance.*phase: verify/);
    const verified = await run('verify', { 'load-test': 'true' });
    expect(verified.report.outcome, verified.log).toBe('completed');
    const completed = await run('complete');
    expect(completed.report.outcome, completed.log).toBe('completed');
    expect(told().at(-1)).toEqual([
      '/maintenance/complete',
      {
        actual_duration: expect.stringMatching(/^\d/) as string,
        issues: expect.stringMatching(/^load-test ended with exit code 9[^;]*$/) as string,
        notes: expect.stringMatching(/^app: deployed; verified; .*planned 15 min; not announced$/) as string,
      },
    ]);
  });

  it('a page that is down only at the end is not operational: it says that it still says maintenance, until it is told', async () => {
    await project.commitRelease({ version: '4.4.0' });
    const performed = await run('perform');
    expect(performed.report.outcome, performed.log).toBe('deployed');
    answers = 500;
    try {
      const verified = await run('verify');
      // What was asked for is verified; what the page says is no reason to call that wrong.
      expect(verified.report.outcome, verified.log).toBe('completed');
      expect(verified.report.headline).toMatch(/verified; the status page still says maintenance/);
      expect(verified.report.nextSteps[0]).toMatch(/HTTP 500: so be it.*phase: verify, which tells it again/);
      expect(updated(verified)).toMatchObject({ state: 'failed', detail: 'operational: HTTP 500: so be it' });
      const later = await run('complete');
      expect(later.report.outcome, later.log).toBe('completed');
      expect(later.report.nextSteps.join('\n')).toMatch(/status page still says maintenance/);
      expect(later.report.nextSteps.join('\n')).toMatch(/not told how the window ended \(HTTP 500/);
    } finally {
      answers = 204;
    }
    const again = await run('verify');
    expect(again.report.outcome, again.log).toBe('completed');
    expect(again.report.headline).not.toContain('status page');
    expect(told().at(-1)).toEqual(['/status', { status: 'operational' }]);
    const completed = await run('complete');
    expect(completed.report.nextSteps.join('\n'), completed.log).not.toMatch(/status page/);
  });

  it('a page that is down only at the beginning never said maintenance, and nobody is told that it still does', async () => {
    await project.commitRelease({ version: '4.6.0', chaos: 'exit-at-once' });
    answers = 503;
    let failed: Carried;
    try {
      failed = await run('perform', { 'auto-rollback': 'false' });
    } finally {
      answers = 204;
    }
    expect(failed.report.outcome, failed.log).toBe('failed');
    expect(failed.report.nextSteps.join('\n')).toMatch(/was not told that there is maintenance \(HTTP 503: so be it\)/);
    expect(failed.report.nextSteps.join('\n')).not.toMatch(/still says maintenance/);
    expect(updated(failed)).toMatchObject({ state: 'failed', detail: 'maintenance: HTTP 503: so be it' });
    // It is told when the work is done again, in the same window.
    await project.commitRelease({ version: '4.7.0' });
    const { report, log } = await carryOut(project, {
      ...{ procedure: 'maintenance', 'status-page-url': `${page.url}/status` },
    });
    expect(report.outcome, log).toBe('deployed');
    expect(told().slice(-2)).toEqual([
      ['/status', { status: 'maintenance' }],
      ['/status', { status: 'operational' }],
    ]);
  });

  it('gets bodies, methods and headers of its own, as they are given', async () => {
    await project.commitRelease({ version: '4.5.0' });
    const { report, log } = await run('all', {
      'status-page-url': `PUT ${page.url}/components/1`,
      'status-page-maintenance': '{"component": {"status": "under_maintenance", "text": "{reason}"}}',
      'status-page-operational-url': `PATCH ${page.url}/components/1`,
      'status-page-operational': '{"component": {"status": "up"}}',
      'status-page-announce': '{"name": "{project}", "for": "{scheduled}"}',
      'status-page-complete-url': `PUT ${page.url}/incidents/1`,
      'status-page-complete': '{"text": "{issues} ({notes})"}',
      'status-page-headers': 'Authorization: OAuth t0ken-of-all\ncomplete X-Last: yes',
      'maintenance-start': '2031-12-01T02:00:00Z',
      reason: 'new kernel',
    });
    expect(report.outcome, log).toBe('deployed');
    expect(page.received.map(({ method, path: to, json }) => [method, to, json])).toEqual([
      ['POST', '/maintenance', { name: project.name, for: '2031-12-01T02:00:00.000Z' }],
      ['PUT', '/components/1', { component: { status: 'under_maintenance', text: 'new kernel' } }],
      ['PATCH', '/components/1', { component: { status: 'up' } }],
      ['PUT', '/incidents/1', { text: expect.stringMatching(/^none \(app: deployed; verified/) as string }],
    ]);
    expect(page.received.map(({ headers }) => [headers.authorization, headers['x-last']])).toEqual([
      ...Array<unknown>(3).fill(['OAuth t0ken-of-all', undefined]),
      ['OAuth t0ken-of-all', 'yes'],
    ]);
    expect(log).not.toContain('t0ken-of-all');
    expect(ticked(report, 'Updated status page')).toMatchObject({
      state: 'done',
      detail: 'announced; maintenance; operational; completed',
    });
  });

  it('all phases in one run: what is announced is now, and not tomorrow', async () => {
    const { report, log } = await run('all');
    expect(report.outcome, log).toBe('deployed');
    const [[at, body] = []] = told();
    expect(at).toBe('/maintenance');
    const { scheduled } = body as { readonly scheduled: string };
    expect(Math.abs(Date.parse(scheduled) - Date.now())).toBeLessThan(120_000);
  });

  it('a status page that is down fails nothing and is told of', async () => {
    await project.commitRelease({ version: '5.0.0' });
    const { report, log } = await run('all', { 'status-page-url': 'http://127.0.0.1:9/status' });
    expect(report.outcome, log).toBe('deployed');
    expect(log).toMatch(/status page could not be told/);
    expect((await project.get('/')).text).toMatch(/^5\.0\.0 /);
  });

  it('precheck tells of a damaged archive, a build that fails and tests that fail, all together', async () => {
    const folder = path.join(project.root, 'state/backups', project.name, 'app');
    const [id = ''] = (await readdir(folder)).sort().reverse();
    const archive = path.join(folder, id, 'data.tar.gz');
    const whole = await readFile(archive);
    const damaged = Buffer.from(whole);
    damaged.writeUInt8(damaged.readUInt8(damaged.length >> 1) ^ 0xff, damaged.length >> 1);
    await project.commitRelease({ version: '6.0.0' });
    const before = await liveOf(project, 'app');
    await writeFile(archive, damaged);
    try {
      const { report, log } = await run('precheck', { 'build-command': 'exit 5', 'test-command': 'exit 3' });
      expect(report, log).toMatchObject({ outcome: 'refused', changed: false, error: { code: 'E_GATE' } });
      expect(report.error?.message).toMatch(
        new RegExp(`${id} is not whole: data\\.tar\\.gz .*; build-command .*exit code 5.*; test-command .*exit code 3`),
      );
      expect(report.error?.next).toMatch(/Choose another one/);
    } finally {
      await writeFile(archive, whole);
    }
    expect(await liveOf(project, 'app')).toEqual(before);
    const passed = await run('precheck', { 'build-command': 'true', 'test-command': 'true' });
    expect(passed.report.outcome, passed.log).toBe('completed');
  });

  it('precheck refuses when the newest backup is not whole, also where an older one is', async () => {
    const kept = path.join(project.root, 'kept');
    const within = path.join(kept, project.name, 'app');
    const inputs = { 'backup-dir': kept };
    const backup = (): Promise<Carried> => carryOut(project, { procedure: 'backup', service: 'app', ...inputs });
    await backup();
    const [older = ''] = await readdir(within);
    await backup();
    const newest = (await readdir(within)).find((id) => id !== older) ?? '';
    await truncate(path.join(within, newest, 'data.tar.gz'), 10);
    const { report, log } = await run('precheck', inputs);
    expect(report.outcome, log).toBe('refused');
    expect(report.error?.message).toMatch(new RegExp(`newest backup of app .*${newest} is not whole`));
    expect(log).not.toContain('was read to its end');
  });

  it('precheck refuses without a rollback image, says how to get one, and only warns when that is wanted', async () => {
    const good = (await liveOf(project, 'app')).release ?? '';
    await project.commitRelease({ version: '6.1.0', chaos: 'exit-at-once' });
    const failed = await carryOut(project, { procedure: 'code-update', service: 'app', 'auto-rollback': 'false' });
    expect(failed.report.outcome, failed.log).toBe('failed');
    // What could come back is the release before the one that fails; its image is gone.
    const kept = `rolling-restart/${project.name}-app:${good.toLowerCase()}`;
    const image = await docker('image', 'inspect', '--format', '{{.Id}}', kept);
    const names = await docker('image', 'inspect', '--format', '{{join .RepoTags " "}}', image);
    await docker('rmi', '--force', ...names.split(' '));
    await project.commitRelease({ version: '6.2.0' });
    const before = await project.containerId('app');
    const { report, log } = await run('precheck');
    expect(report, log).toMatchObject({ outcome: 'refused', changed: false, error: { code: 'E_GATE' } });
    expect(report.error?.message).toContain(
      `app has nothing to go back to if this fails: the image of release ${good} is gone`,
    );
    expect(report.error?.next).toMatch(/rollback-to: git:COMMIT.*gates: rollback-release=warn/);
    const warned = await run('precheck', { gates: 'rollback-release=warn' });
    expect(warned.report.outcome, warned.log).toBe('completed');
    expect(warned.log).toContain(`gate rollback-release: app has nothing to go back to`);
    expect(await project.containerId('app')).toBe(before);
  });
});
