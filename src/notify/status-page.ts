import type { Message, NotificationSettings, PageCall, StatusChange } from '../model/notification.js';
import type { Channel } from '../model/ports/notifications.js';
import { formatDuration } from '../model/units.js';
import { hostOf, sendJson } from './http.js';

/** A status page: the calls of the runbook's Procedure 5. It is told of maintenance windows, and of nothing else. */
export function createStatusPage({ statusPage }: NotificationSettings): Channel | undefined {
  if (statusPage === undefined) return undefined;
  const { headers } = statusPage;
  const callFor = (message: Message): PageCall | undefined => {
    switch (message.kind) {
      case 'notice':
        return undefined;
      case 'maintenance':
      case 'operational':
        return statusPage[message.kind];
      case 'announced':
        return statusPage.announceUrl && { ...statusPage.announceUrl, body: JSON.stringify(announcementBody(message)) };
      case 'completed':
        return statusPage.completeUrl && { ...statusPage.completeUrl, body: JSON.stringify(completionBody(message)) };
    }
  };
  return {
    name: 'status page',
    describe(message) {
      const call = callFor(message);
      return call === undefined ? undefined : `${call.method} to ${hostOf(call.url)} (${message.kind})`;
    },
    async send(message, signal) {
      const call = callFor(message);
      if (call !== undefined) await sendJson({ ...call, headers }, signal);
    },
  };
}

function announcementBody({ startsAt, durationMs, impact, reason }: Extract<StatusChange, { kind: 'announced' }>) {
  return { scheduled: startsAt, duration: inWords(durationMs), impact, reason };
}

function completionBody({ actualMs, issues, notes }: Extract<StatusChange, { kind: 'completed' }>) {
  return { actual_duration: inWords(actualMs), issues, notes };
}

/** As the runbook writes it: `15min`. */
function inWords(ms: number): string {
  return formatDuration(ms).replaceAll(' ', '');
}
