import type { Message, NotificationSettings, PageCall } from '../model/notification.js';
import { pageBody } from '../model/page-body.js';
import type { Channel } from '../model/ports/notifications.js';
import { hostOf, sendJson } from './http.js';

/** A status page: the calls of the runbook's Procedure 5. It is told of maintenance windows, and of nothing else. */
export function createStatusPage({ statusPage }: NotificationSettings): Channel | undefined {
  if (statusPage === undefined) return undefined;
  const callFor = (message: Message): PageCall | undefined =>
    message.kind === 'notice' ? undefined : statusPage[message.kind];
  return {
    name: 'status page',
    describe(message) {
      const call = callFor(message);
      return call === undefined ? undefined : `${call.method} to ${hostOf(call.url)} (${message.kind})`;
    },
    async send(message, signal) {
      const call = callFor(message);
      if (call === undefined || message.kind === 'notice') return;
      await sendJson({ ...call, body: pageBody(call.body, message) }, signal);
    },
  };
}
