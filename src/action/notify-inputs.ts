import { MOMENTS, type Moment, type NotificationSettings, type PageAddress } from '../model/notification.js';
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
    statusPage: readStatusPage(input),
  };
}

function readStatusPage(input: InputReader): NotificationSettings['statusPage'] {
  const url = readCall(input, 'status-page-url');
  const announceUrl = readCall(input, 'status-page-announce-url');
  const completeUrl = readCall(input, 'status-page-complete-url');
  const headers = readHeaders(input);
  const maintenance = readBody(input, 'status-page-maintenance');
  const operational = readBody(input, 'status-page-operational');
  if (url === undefined && announceUrl === undefined && completeUrl === undefined) return undefined;
  return {
    maintenance: url && { ...url, body: maintenance },
    operational: url && { ...url, body: operational },
    announceUrl,
    completeUrl,
    headers,
  };
}

/** `PUT https://…`, or the address alone for POST. */
function readCall(input: InputReader, name: InputName): PageAddress | undefined {
  const [, method = 'POST', url = ''] = /^(?:(POST|PUT|PATCH)\s+)?(\S+)$/.exec(input.text(name) ?? '') ?? [];
  if (input.text(name) === undefined) return undefined;
  if (isWebAddress(url)) return { method, url };
  input.problem(name, 'is not an http:// or https:// URL, with POST, PUT or PATCH before it or without');
  return undefined;
}

function readBody(input: InputReader, name: InputName): string {
  const text = input.text(name) ?? '';
  try {
    JSON.parse(text);
  } catch {
    input.problem(name, 'is not JSON, which the status page is sent');
  }
  return text;
}

/** Values may be secrets, and so are not repeated. */
function readHeaders(input: InputReader): Readonly<Record<string, string>> {
  return Object.fromEntries(
    input.lines('status-page-headers').flatMap((line) => {
      const [, name = '', value = ''] = /^([\w-]+):\s*(.+)$/.exec(line) ?? [];
      if (name !== '') return [[name.toLowerCase(), value] as const];
      input.problem('status-page-headers', 'has a line that is not `NAME: value`');
      return [];
    }),
  );
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
