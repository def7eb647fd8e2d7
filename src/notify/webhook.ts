import { createHmac } from 'node:crypto';
import { isTold, type Notice, type NotificationSettings } from '../model/notification.js';
import type { Channel } from '../model/ports/notifications.js';
import { hostOf, sendJson } from './http.js';

export const NOTIFICATION_SCHEMA = 'rolling-restart/notification/v1';
/** As GitHub signs its own: https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries */
export const SIGNATURE_HEADER = 'x-rolling-restart-signature-256';

/** Any receiver of JSON: `docs/notifications.md` documents the body. */
export function createWebhook({ webhook, on }: NotificationSettings): Channel | undefined {
  if (webhook === undefined) return undefined;
  const { url, secret } = webhook;
  return {
    name: 'webhook',
    describe: (message) => (isTold(message, on) ? `POST to ${hostOf(url)}` : undefined),
    async send(message, signal) {
      if (!isTold(message, on)) return;
      const body = JSON.stringify(webhookBody(message));
      const headers = secret === undefined ? {} : { [SIGNATURE_HEADER]: `sha256=${signatureOf(body, secret)}` };
      await sendJson({ method: 'POST', url, body, headers }, signal);
    },
  };
}

/** @returns the HMAC of the body as it is sent, in hexadecimal digits */
export function signatureOf(body: string, secret: string): string {
  return createHmac('sha256', secret).update(body).digest('hex');
}

/** What a receiver may rely on: fields are added and never renamed. */
export function webhookBody(notice: Notice): Readonly<Record<string, unknown>> {
  const { moment, at, thread, project, procedure, services, headline, outcome, changed, durationMs } = notice;
  const { problem, next, commit, pullRequests, reason, by, run, runUrl, host } = notice;
  return {
    schema: NOTIFICATION_SCHEMA,
    moment,
    at,
    thread,
    project,
    procedure,
    services,
    headline,
    outcome,
    changed,
    durationMs,
    problem,
    next,
    commit,
    pullRequests,
    reason,
    by,
    run,
    runUrl,
    host,
  };
}
