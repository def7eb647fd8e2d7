import { MOMENTS, type Moment, type NotificationSettings } from '../model/notification.js';
import { unknownWord, type InputReader } from './input-reader.js';
import type { InputName } from './input-table.js';

/** Who is told of a run, and of what. */
export function readNotifications(input: InputReader): NotificationSettings {
  const webhookUrl = readAddress(input, 'webhook-url');
  const secret = input.text('webhook-secret');
  if (secret !== undefined && webhookUrl === undefined) {
    input.problem('webhook-secret', 'needs `webhook-url`, whose messages it signs');
  }
  return {
    on: readMoments(input),
    slackUrl: readAddress(input, 'slack-webhook-url'),
    webhook: webhookUrl === undefined ? undefined : { url: webhookUrl, secret },
  };
}

function readMoments(input: InputReader): readonly Moment[] {
  return input.list('notify-on').flatMap((word) => {
    const moment = MOMENTS.find((candidate) => candidate === word);
    if (moment === undefined) input.problem('notify-on', unknownWord(word, MOMENTS));
    return moment ?? [];
  });
}

/** The address may be a secret, and so is not repeated. */
function readAddress(input: InputReader, name: InputName): string | undefined {
  return input.checked(name, (text) => (isWebAddress(text) ? undefined : 'is not an http:// or https:// URL'));
}

/** @returns whether requests can be sent there */
export function isWebAddress(text: string): boolean {
  if (!URL.canParse(text)) return false;
  return ['http:', 'https:'].includes(new URL(text).protocol);
}
