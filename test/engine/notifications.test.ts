import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ticked } from '../support/checklist.js';
import { startGitHub } from '../support/github.js';
import { update } from '../support/live.js';
import { headerOf, makeMailbox, type Mailbox } from '../support/mailbox.js';
import { makeProject, type Project } from '../support/project.js';
import { makeReceiver, type Receiver } from '../support/receiver.js';
import { served } from '../support/served.js';

let project: Project;
let hook: Receiver;
let slack: Receiver;
let box: Mailbox;
beforeAll(async () => {
  hook = await makeReceiver();
  slack = await makeReceiver((response) => response.end('ok'));
  box = await makeMailbox();
  project = await makeProject({ fixture: 'plain', files: { 'compose.yaml': served() } });
});
afterAll(async () => {
  hook.close();
  slack.close();
  box.close();
  await project.cleanup();
});

it('a webhook is told of the beginning and of the end of each run, and one that is down fails nothing', async () => {
  const told = (): readonly unknown[] =>
    hook.received.splice(0).map(({ json }) => {
      const { moment, outcome } = json as { readonly moment: string; readonly outcome?: string | null };
      return [moment, outcome ?? null];
    });
  const inputs = { 'webhook-url': `${hook.url}/runs`, 'notify-on': 'start, success, failure, rollback' };
  const good = await update(project, 'app', inputs);
  expect(good.report.outcome, good.log).toBe('deployed');
  expect(told()).toEqual([
    ['start', null],
    ['success', 'deployed'],
  ]);

  await project.commitRelease({ version: '2.0.0', chaos: 'exit-at-once' });
  const bad = await update(project, 'app', inputs);
  expect(bad.report.outcome, bad.log).toBe('rolled-back');
  expect(told()).toEqual([
    ['start', null],
    ['rollback', 'rolled-back'],
  ]);

  await project.commitRelease({ version: '3.0.0' });
  const alone = await update(project, 'app', { ...inputs, 'webhook-url': 'http://127.0.0.1:9/runs' });
  expect(alone.report.outcome, alone.log).toBe('deployed');
  expect(alone.log).toMatch(/webhook could not be told/);
  expect((await project.get('/')).text).toMatch(/^3\.0\.0 /);
});

it('a webhook is told which commit went live, and which pull request brought it', async () => {
  const github = await startGitHub();
  try {
    const commit = await project.commitRelease({ version: '3.5.0' });
    github.merged.set(commit, { number: 12, title: 'Faster start' });
    const environment = { ...process.env, GITHUB_REPOSITORY: 'acme/roma', GITHUB_API_URL: github.apiUrl };
    const inputs = { 'webhook-url': `${hook.url}/runs`, 'notify-on': 'success', 'github-token': 't0ken-of-the-test' };
    hook.received.splice(0);
    const { report, log } = await update(project, 'app', inputs, { environment });
    expect(report.outcome, log).toBe('deployed');
    expect(hook.received.splice(0).map(({ json }) => json)).toMatchObject([
      { commit, pullRequests: [{ number: 12, title: 'Faster start', url: 'https://github.test/acme/roma/pull/12' }] },
    ]);
  } finally {
    github.close();
  }
});

describe('Slack and e-mail', () => {
  const people = (): Readonly<Record<string, string>> => ({
    'slack-webhook-url': `${slack.url}/services/T0/B0/secret`,
    'smtp-url': `smtp://mailer:p%40ss%20word@127.0.0.1:${box.port}`,
    'email-from': 'deploy@example.com',
    'email-to': 'team@example.com, boss@example.com',
  });
  let thread = '';
  /** All that Slack was sent, to the last field. */
  const messages = (): unknown[] => slack.received.splice(0).map(({ json }) => json);

  it('are told of a deploy as it begins and as it ended, the mails in one thread, and no secret is sent', async () => {
    const commit = await project.commitRelease({ version: '4.0.0' });
    const { report, log } = await update(project, 'app', people());
    expect(report.outcome, log).toBe('deployed');
    expect(slack.received.map(({ method, path }) => [method, path])).toEqual(
      Array(2).fill(['POST', '/services/T0/B0/secret']),
    );
    const name = `code-update of ${project.name}`;
    expect(messages()).toEqual([
      {
        text: `🔄 ${name} begins: code-update of app begins`,
        blocks: [header(`🔄 ${name} begins`), section('code-update of app begins'), fields('*Services*\napp'), CONTEXT],
      },
      {
        text: `✅ ${name} succeeded: app deployed and verified`,
        blocks: [
          header(`✅ ${name} succeeded`),
          section('app deployed and verified'),
          fields('*Services*\napp', `*Live*\n${commit.slice(0, 12)}`, '*Outcome*\ndeployed', TOOK),
          CONTEXT,
        ],
      },
    ]);

    const [start, end, ...others] = box.mails.splice(0);
    if (start === undefined || end === undefined) throw new Error(log);
    expect(others).toEqual([]);
    for (const mail of [start, end]) {
      expect(mail).toMatchObject({ from: 'deploy@example.com', to: ['team@example.com', 'boss@example.com'] });
      expect(mail.text).not.toMatch(/secret|p@ss/);
      expect(headerOf(mail, 'In-Reply-To')).toBe(headerOf(mail, 'References'));
    }
    thread = headerOf(start, 'References');
    expect(thread).toMatch(/^<test-.*@rolling-restart\.invalid>$/);
    expect(headerOf(end, 'References')).toBe(thread);
    expect(headerOf(end, 'Message-ID')).not.toBe(headerOf(start, 'Message-ID'));
    expect(headerOf(end, 'Subject')).toBe(`Re: ${headerOf(start, 'Subject')}`);
    expect(end.text).toContain('Outcome: deployed');
    expect(report.findings.find(({ title }) => title === 'Notifications')?.rows).toHaveLength(4);
    expect(log).not.toMatch(/\/T0\/B0\/secret|p@ss word|p%40ss/);
  });

  it('are told of a rollback with what to do next; the next run is another thread', async () => {
    const live = (await project.git('rev-parse', 'HEAD')).slice(0, 12);
    await project.commitRelease({ version: '5.0.0', chaos: 'exit-at-once' });
    const { report, log } = await update(project, 'app', { ...people(), 'notify-on': 'start, rollback' });
    expect(report.outcome, log).toBe('rolled-back');
    const name = `code-update of ${project.name}`;
    const [, back] = messages();
    const next = report.nextSteps.map((step) => `• ${step}`).join('\n');
    expect(next).toContain('• The release is marked bad');
    expect(back).toEqual({
      text: `↩️ ${name} was rolled back: ${report.headline}`,
      blocks: [
        header(`↩️ ${name} was rolled back`),
        section(report.headline),
        fields('*Services*\napp', `*Live*\n${live}`, '*Outcome*\nrolled-back', TOOK, '*Error*\nE_NOT_READY'),
        section(`*What to do next*\n${next}`),
        CONTEXT,
      ],
    });
    const mails = box.mails.splice(0);
    expect(mails).toHaveLength(2);
    expect(mails[1]?.text).toContain('What to do next:');
    const threads = new Set(mails.map((mail) => headerOf(mail, 'References')));
    expect(threads.size).toBe(1);
    expect([...threads]).not.toContain(thread);
  });

  it('that are down fail nothing, and stand in the report', async () => {
    await project.commitRelease({ version: '6.0.0' });
    const down = { 'slack-webhook-url': 'http://127.0.0.1:9/x', 'smtp-url': 'smtp://127.0.0.1:9' };
    const { report, log } = await update(project, 'app', { ...people(), ...down });
    expect(report.outcome, log).toBe('deployed');
    const rows = report.findings.find(({ title }) => title === 'Notifications')?.rows ?? [];
    expect(rows).toHaveLength(4);
    expect(rows.map(([, , result]) => result)).toEqual(Array(4).fill(expect.stringMatching(/^not sent: /)));
    expect((await project.get('/')).text).toMatch(/^6\.0\.0 /);
  });

  it('one that takes what it is sent and never answers delays nothing, and is reported', async () => {
    const hangs = await makeReceiver(() => undefined);
    try {
      await project.commitRelease({ version: '7.0.0' });
      const inputs = { 'slack-webhook-url': `${hangs.url}/services/x`, 'webhook-url': `${hook.url}/runs` };
      let liveAt = 0;
      const onLine = (line: string): void => {
        if (line.includes('is live and verified')) liveAt = Date.now();
      };
      const { report, log } = await update(project, 'app', inputs, { onLine });
      const endedAt = Date.now();
      expect(report.outcome, log).toBe('deployed');
      expect((await project.get('/')).text).toMatch(/^7\.0\.0 /);
      // It was told of the beginning, and the work went on while it did not answer.
      expect(hangs.received.map(({ path }) => path)).toEqual(['/services/x', '/services/x']);
      const gaveUp = log.indexOf('slack could not be told (start): no answer within 5 s');
      expect(gaveUp, log).toBeGreaterThan(0);
      expect(log.indexOf('worktree (build context)')).toBeGreaterThan(0);
      expect(log.indexOf('worktree (build context)')).toBeLessThan(gaveUp);
      // Only the end waits for it, for the two messages at most, and less long for the second.
      expect(endedAt - liveAt).toBeLessThan(9_000);
      const moments = hook.received.splice(0).map(({ json }) => (json as { readonly moment: string }).moment);
      expect(moments).toEqual(['start', 'success']);
      const rows = report.findings.find(({ title }) => title === 'Notifications')?.rows ?? [];
      expect(rows.filter(([channel]) => channel === 'slack').map(([, moment, result]) => [moment, result])).toEqual([
        ['start', 'not sent: no answer within 5 s'],
        ['success', 'not sent: no answer within 2 s'],
      ]);
      expect(ticked(report, 'Notified team')).toMatchObject({
        state: 'done',
        detail: 'webhook; not all reached slack',
      });
    } finally {
      hangs.close();
    }
  });
});

const header = (text: string): unknown => ({ type: 'header', text: { type: 'plain_text', text, emoji: true } });
const section = (text: string): unknown => ({ type: 'section', text: { type: 'mrkdwn', text } });
const fields = (...texts: readonly unknown[]): unknown => ({
  type: 'section',
  fields: texts.map((text) => ({ type: 'mrkdwn', text })),
});
const TOOK: unknown = expect.stringMatching(/^\*Took\*\n\d[\d.]* m?s$/);
const CONTEXT: unknown = {
  type: 'context',
  elements: [
    { type: 'mrkdwn', text: expect.stringMatching(/^tester at shell on test · test-[0-9a-f]{12}$/) as string },
  ],
};
