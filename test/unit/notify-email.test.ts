import { createServer, type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { MOMENTS, type NotificationSettings } from '../../src/model/notification.js';
import { secretsOf } from '../../src/model/request-secrets.js';
import type { Request } from '../../src/model/request.js';
import { createEmail, mailOf } from '../../src/notify/email.js';
import { createRedactor } from '../../src/report/redact.js';
import { makeMailbox, type Mailbox } from '../support/mailbox.js';
import { sampleNotice } from '../support/notices.js';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function mailServer(): Promise<Mailbox> {
  const box = await makeMailbox();
  closing.push(() => box.close());
  return box;
}

const to = ['team@example.com', 'boss@example.com'];
const settings = (smtpUrl: string, more: Partial<NotificationSettings> = {}): NotificationSettings => ({
  on: MOMENTS,
  slackUrl: undefined,
  webhook: undefined,
  email: { smtpUrl, from: 'deploy@example.com', to },
  statusPage: undefined,
  ...more,
});

async function send(given: NotificationSettings, ...notices: Parameters<typeof sampleNotice>[0][]): Promise<void> {
  const channel = createEmail(given);
  for (const notice of notices) await channel?.send(sampleNotice(notice), AbortSignal.timeout(10_000));
}

describe('e-mail', () => {
  it('sends one thread for a run, with a password and a subject that stays', async () => {
    const box = await mailServer();
    const url = `smtp://mailer:p%40ss%20word@127.0.0.1:${box.port}`;
    await send(settings(url), { moment: 'start', outcome: undefined }, { moment: 'failure' });
    expect(box.mails).toHaveLength(2);
    const [start, end] = box.mails;
    expect(start).toMatchObject({ from: 'deploy@example.com', to });
    expect(start?.text).toMatch(/^Subject: \[roma\] code-update 123-1\r?$/m);
    expect(end?.text).toMatch(/^Subject: Re: \[roma\] code-update 123-1\r?$/m);
    for (const mail of box.mails) {
      expect(mail.text).toMatch(/^References: <123-1@rolling-restart\.invalid>\r?$/m);
      expect(mail.text).toMatch(/^Auto-Submitted: auto-generated\r?$/m);
    }
    expect(end?.text).toContain('code-update of roma failed');
    expect(end?.text).toContain('- Look at the log.');
    expect(end?.text).not.toContain('p@ss');
  });

  it('sends one thread for a maintenance window, whatever runs its phases are', () => {
    const window = { procedure: 'maintenance', thread: '120-1' };
    const mails = [
      mailOf(sampleNotice({ ...window, run: '120-1', moment: 'announcement' }), 1, true),
      mailOf(sampleNotice({ ...window, run: '123-1', moment: 'success' }), 1, true),
    ];
    expect(mails.map(({ references }) => references)).toEqual(Array(2).fill('<120-1@rolling-restart.invalid>'));
    expect(mails.map(({ subject }) => subject.replace(/^Re: /, ''))).toEqual(Array(2).fill('[roma] maintenance 120-1'));
    expect(mails[0]?.messageId).not.toBe(mails[1]?.messageId);
  });

  it('says what the server refuses: a password, or an address while the others get the mail', async () => {
    const box = await mailServer();
    await expect(send(settings(`smtp://mailer:wrong@127.0.0.1:${box.port}`), {})).rejects.toThrow(/535/);
    const some = settings(`smtp://127.0.0.1:${box.port}`, {
      email: { smtpUrl: `smtp://127.0.0.1:${box.port}`, from: 'a@example.com', to: ['nobody@example.com', ...to] },
    });
    await expect(send(some, {})).rejects.toThrow('takes no mail for nobody@example.com');
    expect(box.mails).toHaveLength(1);
  });

  // Two of its limits are as long: whichever comes first.
  it('ends by itself with a server that says nothing', async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    closing.push(() => silent.close());
    const { port } = silent.address() as AddressInfo;
    await expect(send(settings(`smtp://127.0.0.1:${port}`), {})).rejects.toThrow(/[Gg]reeting|Timeout/);
  }, 15_000);

  it('says in the subject what happened when the beginning is not mailed', () => {
    const pull = { number: 12, title: 'Faster start', url: 'https://github.com/company/roma/pull/12' };
    const { text } = mailOf(sampleNotice({ outcome: 'deployed', pullRequests: [pull] }), 1, false);
    expect(text).toContain(
      'Live: 4f2a9c1b7d3e (#12 Faster start)\nPull request #12: https://github.com/company/roma/pull/12',
    );
    expect(mailOf(sampleNotice(), 1, false).subject).toBe('[roma] code-update of roma failed');
    expect(mailOf(sampleNotice({ project: 'a\r\nBcc: x@y' }), 1, false).subject).not.toMatch(/[\r\n]/);
  });
});

describe('secrets of channels', () => {
  it('are hidden in every form in which they turn up', () => {
    const notifications: NotificationSettings = {
      on: MOMENTS,
      slackUrl: 'https://hooks.slack.com/services/T0/B0/abcdefghij',
      webhook: { url: 'https://example.com/in', secret: 'k3y' },
      email: { smtpUrl: 'smtp://mailer:p%40ss%20word@mail.example.com', from: 'a@b', to },
      statusPage: undefined,
    };
    const redactor = createRedactor();
    redactor.learn(secretsOf({ githubToken: undefined, notifications } as Request));
    const shown = redactor.text(
      'https://hooks.slack.com/services/T0/B0/abcdefghij /services/T0/B0/abcdefghij k3y p@ss word p%40ss%20word mail.example.com /in',
    );
    expect(shown).toBe('*** *** *** *** *** mail.example.com /in');
  });
});
