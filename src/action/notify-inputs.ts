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
    email: readEmail(input),
  };
}

/** One that is not whole would be found out when somebody waits for a mail. */
function readEmail(input: InputReader): NotificationSettings['email'] {
  const smtpUrl = input.checked('smtp-url', smtpProblem);
  const to = input.list('email-to');
  const from = input.text('email-from');
  for (const address of [...to, ...(from === undefined ? [] : [from])]) {
    // Its exact form is the server's business.
    if (!/^[^\s@,]+@[^\s@,]+$/.test(address)) {
      input.problem(to.includes(address) ? 'email-to' : 'email-from', `"${address}" is not an address`);
    }
  }
  if (input.text('smtp-url') === undefined) {
    if (to.length > 0) input.problem('email-to', 'needs `smtp-url`, the server that mail is sent by');
    return undefined;
  }
  if (to.length === 0) input.problem('email-to', 'is missing; mail by `smtp-url` goes nowhere without it');
  if (from === undefined) input.problem('email-from', 'is missing; servers take no mail without it');
  return smtpUrl === undefined || from === undefined ? undefined : { smtpUrl, from, to };
}

/** The address holds a password, and so is not repeated. */
function smtpProblem(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.hostname !== undefined && url.hostname !== '' && ['smtp:', 'smtps:'].includes(url.protocol)) {
    return isEncoded(url.username) && isEncoded(url.password)
      ? undefined
      : 'has a % in user or password that stands for nothing; write it as %25';
  }
  return 'is not an address like smtps://user:password@mail.example.com; what is special in a password is written as %40';
}

function isEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
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
