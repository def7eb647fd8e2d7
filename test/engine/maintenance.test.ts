import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openDoor } from '../support/doors.js';
import { carryOut, type Carried } from '../support/procedure.js';
import { makeProject, type Project } from '../support/project.js';
import { startRegistry } from '../../scripts/lib/registry.mjs';
import { BASE_IMAGE, docker } from '../support/engine-containers.js';
import { headerOf, makeMailbox, type Mailbox } from '../support/mailbox.js';
import { makeReceiver, type Receiver } from '../support/receiver.js';
import { served } from '../support/served.js';

const DATA = `${served({ more: "    volumes: ['data:/data']\n" })}volumes:\n  data:\n`;

/** A maintenance in its phases, with a status page and a mail server that are really called. */
describe('maintenance in phases', () => {
  let project: Project;
  let page: Receiver;
  let box: Mailbox;
  let registry: Awaited<ReturnType<typeof startRegistry>>;
  let base: string;

  beforeAll(async () => {
    page = await makeReceiver();
    box = await makeMailbox();
    registry = await startRegistry();
    base = `${registry.address}/rr-maintenance-base:latest`;
    await docker('tag', BASE_IMAGE, base);
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
    const performed = await run('perform');
    expect(performed.report.outcome, performed.log).toBe('deployed');
    expect((await project.get('/')).text).toMatch(/^2\.0\.0 /);
    expect(told()).toEqual([['/status', { status: 'maintenance' }]]);
    const verified = await run('verify', { 'smoke-test': 'true', 'load-test': 'echo loaded' });
    expect(verified.report.outcome, verified.log).toBe('completed');
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

  it('a status page that is down fails nothing and is told of', async () => {
    await project.commitRelease({ version: '5.0.0' });
    const { report, log } = await run('all', { 'status-page-url': 'http://127.0.0.1:9/status' });
    expect(report.outcome, log).toBe('deployed');
    expect(log).toMatch(/status page could not be told/);
    expect((await project.get('/')).text).toMatch(/^5\.0\.0 /);
  });
});
