import {
  isTold,
  noticeTitle,
  whatIsLive,
  type Moment,
  type Notice,
  type NotificationSettings,
} from '../model/notification.js';
import type { Channel } from '../model/ports/notifications.js';
import { formatDuration } from '../model/units.js';
import { hostOf, sendJson } from './http.js';

/** Slack refuses longer texts: https://docs.slack.dev/reference/block-kit/blocks/section-block */
const LONGEST_TEXT = 2_900;
const LONGEST_HEADER = 150;
const LONGEST_FIELD = 1_900;

/**
 * Slack, by an incoming webhook. Such a webhook says neither a message's id nor takes one: it can neither answer in a thread
 * nor change what it sent (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks), so each moment is a
 * message of its own, with the run in it.
 */
export function createSlack({ slackUrl, on }: NotificationSettings): Channel | undefined {
  if (slackUrl === undefined) return undefined;
  return {
    name: 'slack',
    describe: (message) => (isTold(message, on) ? `message by the webhook at ${hostOf(slackUrl)}` : undefined),
    async send(message, signal) {
      if (!isTold(message, on)) return;
      const body = JSON.stringify(slackBody(message));
      await sendJson({ method: 'POST', url: slackUrl, body, headers: {} }, signal);
    },
  };
}

const SIGNS: Readonly<Record<Moment, string>> = {
  start: '🔄',
  success: '✅',
  failure: '❌',
  rollback: '↩️',
  announcement: '📅',
};

/** @returns the message as blocks, and as the line that a phone shows */
export function slackBody(notice: Notice): Readonly<Record<string, unknown>> {
  const title = `${SIGNS[notice.moment]} ${noticeTitle(notice)}`;
  const blocks: unknown[] = [
    { type: 'header', text: { type: 'plain_text', text: shortened(title, LONGEST_HEADER), emoji: true } },
    section(notice.headline),
  ];
  const fields = fieldsOf(notice);
  if (fields.length > 0) {
    blocks.push({
      type: 'section',
      fields: fields.map(([name, value]) => ({
        type: 'mrkdwn',
        text: `*${name}*\n${shortened(escaped(value), LONGEST_FIELD)}`,
      })),
    });
  }
  const next = notice.moment === 'success' || notice.moment === 'start' ? [] : notice.next;
  if (next.length > 0) {
    blocks.push(mrkdwn(`*What to do next*\n${next.map((step) => `• ${escaped(step)}`).join('\n')}`));
  }
  const run = notice.runUrl === undefined ? escaped(notice.run) : `<${notice.runUrl}|run>`;
  blocks.push({
    type: 'context',
    elements: [{ type: 'mrkdwn', text: `${escaped(notice.by)} on ${escaped(notice.host)} · ${run}` }],
  });
  return { text: shortened(escaped(`${title}: ${notice.headline}`), LONGEST_TEXT), blocks };
}

function fieldsOf(notice: Notice): readonly (readonly [string, string])[] {
  const live = whatIsLive(notice);
  return [
    ...(notice.services.length === 0 ? [] : [['Services', notice.services.join(', ')] as const]),
    ...(live === undefined ? [] : [['Live', live] as const]),
    ...(notice.outcome === undefined ? [] : [['Outcome', notice.outcome] as const]),
    ...(notice.durationMs === undefined ? [] : [['Took', formatDuration(notice.durationMs)] as const]),
    ...(notice.reason === undefined ? [] : [['Reason', notice.reason] as const]),
    ...(notice.problem === undefined ? [] : [['Error', notice.problem.code] as const]),
  ];
}

function section(text: string): unknown {
  return mrkdwn(escaped(text));
}

function mrkdwn(text: string): unknown {
  return { type: 'section', text: { type: 'mrkdwn', text: shortened(text, LONGEST_TEXT) } };
}

/** What comes from a log shall neither mention somebody nor lead anywhere: Slack reads `<…>` and `&` alone as its own. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function shortened(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}
