import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { SECRET_INPUTS } from '../../scripts/lib/workflow-model.mjs';
import { INPUTS } from '../../src/action/input-table.js';
import { createClock } from '../../src/host/clock.js';
import { MOMENTS, momentOf, noticeTitle, type NotificationSettings } from '../../src/model/notification.js';
import type { Channel } from '../../src/model/ports/notifications.js';
import { unseen } from '../../src/model/ports/progress.js';
import { createChannels } from '../../src/notify/index.js';
import { slackBody } from '../../src/notify/slack.js';
import { SIGNATURE_HEADER } from '../../src/notify/webhook.js';
import { Notifier } from '../../src/run/notifier.js';
import { createMemoryClock } from '../support/memory/clock.js';
import { sampleNotice } from '../support/notices.js';
import { receiversOfATest } from '../support/receiver.js';

const receiver = receiversOfATest();

const none: NotificationSettings = {
  on: MOMENTS,
  slackUrl: undefined,
  webhook: undefined,
  email: undefined,
  statusPage: undefined,
};

function notifier(channels: readonly Channel[], deadlineMs = 1_000, clock = createClock()) {
  const warnings: string[] = [];
  const said = (line: string): void => void warnings.push(line);
  const progress = {
    group: <T>(_: string, body: () => Promise<T>) => body(),
    info: () => {},
    debug: () => {},
    warning: said,
    error: said,
    doing: unseen,
  };
  const cancelled = new AbortController().signal;
  const redact = (text: string): string => text.replaceAll('s3cret', '***');
  return { warnings, notifier: new Notifier(channels, { clock, progress, redact, cancelled, deadlineMs }) };
}

describe('the webhook', () => {
  it('gets the documented JSON, signed over the very bytes', async () => {
    const hook = await receiver();
    const channels = createChannels({ ...none, webhook: { url: `${hook.url}/in?key=1`, secret: 'k3y' } });
    const { notifier: told } = notifier(channels);
    told.send(sampleNotice());
    expect(await told.settle()).toMatchObject([{ channel: 'webhook', problem: undefined }]);
    const [got] = hook.received;
    expect(got).toMatchObject({ method: 'POST', path: '/in?key=1' });
    const { kind, ...fields } = sampleNotice();
    expect(kind).toBe('notice');
    expect(got?.json).toEqual({ schema: 'rolling-restart/notification/v1', ...fields });
    const signature = createHmac('sha256', 'k3y')
      .update(got?.text ?? '')
      .digest('hex');
    expect(got?.headers[SIGNATURE_HEADER]).toBe(`sha256=${signature}`);
  });

  it('is not signed without a secret, and gets the chosen moments alone', async () => {
    const hook = await receiver();
    const { notifier: told } = notifier(
      createChannels({ ...none, on: ['rollback'], webhook: { url: hook.url, secret: undefined } }),
    );
    told.send(sampleNotice({ moment: 'start' }));
    told.send(sampleNotice({ moment: 'rollback' }));
    expect(told.describe(sampleNotice({ moment: 'start' }))).toEqual([]);
    expect(told.describe(sampleNotice({ moment: 'announcement' }))).toEqual([
      `webhook: POST to ${new URL(hook.url).host}`,
    ]);
    await told.settle();
    expect(hook.received.map(({ json }) => (json as { moment: string }).moment)).toEqual(['rollback']);
    expect(hook.received[0]?.headers).not.toHaveProperty(SIGNATURE_HEADER);
  });
});

describe('Slack', () => {
  it('gets blocks in which nothing from a log mentions anybody', async () => {
    const slack = await receiver((response) => response.end('ok'));
    const { notifier: told } = notifier(createChannels({ ...none, slackUrl: `${slack.url}/services/T/B/x` }));
    told.send(sampleNotice());
    await told.settle();
    const text = slack.received[0]?.text ?? '';
    expect(slack.received[0]?.json).toMatchObject({
      text: expect.stringContaining('code-update of roma failed') as string,
      blocks: [
        { type: 'header', text: { text: '❌ code-update of roma failed' } },
        { type: 'section' },
        { type: 'section' },
        { type: 'section' },
        { type: 'context' },
      ],
    });
    expect(text).not.toContain('<@U1>');
    expect(text).toContain('&lt;@U1&gt; &amp; co');
    expect(text).toContain('<https://github.com/company/roma/actions/runs/123|run>');
  });

  it('keeps within what Slack takes', () => {
    const long = 'x'.repeat(10_000);
    const body = slackBody(
      sampleNotice({ headline: long, project: long, next: [long], services: [long], reason: long }),
    );
    const texts = JSON.stringify(body).match(/"text":"[^"]*"/g) ?? [];
    expect(texts.length).toBeGreaterThan(5);
    expect(Math.max(...texts.map((text) => text.length))).toBeLessThan(3_000);
  });
});

describe('the notifier', () => {
  it('waits for nothing, gives a dead channel up at its deadline, and tells the others meanwhile', async () => {
    const good = await receiver();
    const hangs = await receiver(() => {});
    const settings = { ...none, slackUrl: `${hangs.url}/s3cret`, webhook: { url: good.url, secret: undefined } };
    const { notifier: told, warnings } = notifier(createChannels(settings), 300);
    const began = performance.now();
    told.send(sampleNotice({ moment: 'start' }));
    told.send(sampleNotice({ moment: 'success' }));
    expect(performance.now() - began).toBeLessThan(100);
    const deliveries = await told.settle();
    expect(performance.now() - began).toBeLessThan(2_000);
    expect(deliveries.filter(({ channel }) => channel === 'webhook').map(({ problem }) => problem)).toEqual([
      undefined,
      undefined,
    ]);
    expect(warnings).toEqual([
      'slack could not be told (start): no answer within 0.3 s',
      'slack could not be told (success): no answer within 0.3 s',
    ]);
  });

  it('does not wait as long again for a channel that was silent', async () => {
    const silent: Channel = {
      name: 'silent',
      describe: () => 'says nothing',
      send: () => new Promise(() => undefined),
    };
    const { notifier: told, warnings } = notifier([silent], 2_500, createMemoryClock({ automatic: true }));
    told.send(sampleNotice({ moment: 'start' }));
    told.send(sampleNotice({ moment: 'success' }));
    await told.settle();
    expect(warnings).toEqual([
      'silent could not be told (start): no answer within 2.5 s',
      'silent could not be told (success): no answer within 2 s',
    ]);
  });

  it('says what was answered, secrets hidden, and goes on', async () => {
    const refuses = await receiver((response) => response.writeHead(403).end('invalid_token s3cret\n'));
    const { notifier: told, warnings } = notifier(
      createChannels({ ...none, webhook: { url: refuses.url, secret: undefined } }),
    );
    told.send(sampleNotice());
    await told.settle();
    expect(warnings).toEqual(['webhook could not be told (failure): HTTP 403: invalid_token ***']);
  });

  it('says when nobody listens', async () => {
    const gone = await receiver();
    gone.close();
    const { notifier: told } = notifier(createChannels({ ...none, webhook: { url: gone.url, secret: undefined } }));
    told.send(sampleNotice());
    expect((await told.settle())[0]?.problem).toContain('ECONNREFUSED');
  });
});

describe('what people are told', () => {
  it('has a moment for every outcome, and a title for every moment', () => {
    expect(momentOf('rolled-back')).toBe('rollback');
    expect(momentOf('rollback-failed')).toBe('failure');
    expect(momentOf('unchanged')).toBe('success');
    expect(noticeTitle(sampleNotice({ outcome: 'rollback-failed' }))).toBe(
      'code-update of roma failed, and so did going back',
    );
    expect(noticeTitle(sampleNotice({ moment: 'start', outcome: undefined }))).toBe('code-update of roma begins');
  });

  it('is set up by inputs that workflows take as secrets', () => {
    const secrets = INPUTS.filter(({ kind }) => kind === 'secret').map(({ name }) => name as string);
    expect(secrets.filter((name) => name !== 'github-token')).toEqual(SECRET_INPUTS);
  });
});
