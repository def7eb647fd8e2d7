import { MOMENTS, type Moment, type NotificationSettings, type PageCall } from '../model/notification.js';
import { PAGE_WORDS, unknownPageWords } from '../model/page-body.js';
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

type PageKind = keyof NonNullable<NotificationSettings['statusPage']>;

/** As headers name the calls, and the inputs of their bodies do. */
const PAGE_CALLS = {
  announce: 'announced',
  maintenance: 'maintenance',
  operational: 'operational',
  complete: 'completed',
} as const satisfies Readonly<Record<string, PageKind>>;
type PageCallName = keyof typeof PAGE_CALLS;

function readStatusPage(input: InputReader): NotificationSettings['statusPage'] {
  const page = readCall(input, 'status-page-url');
  const addresses: Readonly<Record<PageCallName, PageAddress | undefined>> = {
    announce: readCall(input, 'status-page-announce-url'),
    maintenance: page,
    operational: readCall(input, 'status-page-operational-url') ?? page,
    complete: readCall(input, 'status-page-complete-url'),
  };
  const headers = readHeaders(input);
  // All of them are read, whether there is an address or not: what is wrong is told the first time.
  const call = (name: PageCallName): PageCall | undefined => {
    const body = readBody(input, `status-page-${name}`, PAGE_CALLS[name]);
    const address = addresses[name];
    return address && { ...address, body, headers: { ...headers.all, ...headers[name] } };
  };
  const [announced, maintenance, operational, completed] = [
    call('announce'),
    call('maintenance'),
    call('operational'),
    call('complete'),
  ];
  if (Object.values(addresses).every((address) => address === undefined)) return undefined;
  return { announced, maintenance, operational, completed };
}

type PageAddress = Pick<PageCall, 'method' | 'url'>;

/** `PUT https://…`, or the address alone for POST. */
function readCall(input: InputReader, name: InputName): PageAddress | undefined {
  const [, method = 'POST', url = ''] = /^(?:(POST|PUT|PATCH)\s+)?(\S+)$/.exec(input.text(name) ?? '') ?? [];
  if (input.text(name) === undefined) return undefined;
  if (isWebAddress(url)) return { method, url };
  input.problem(name, 'is not an http:// or https:// URL, with POST, PUT or PATCH before it or without');
  return undefined;
}

function readBody(input: InputReader, name: InputName, kind: PageKind): string {
  const text = input.text(name) ?? '';
  try {
    const [unknown] = unknownPageWords(text, kind);
    if (unknown !== undefined) input.problem(name, `has {${unknown}}: ${unknownWord(unknown, PAGE_WORDS[kind])}`);
  } catch {
    input.problem(name, 'is not JSON, which the status page is sent');
  }
  return text;
}

type PageHeaders = Readonly<Record<'all' | PageCallName, Readonly<Record<string, string>>>>;

/** `NAME: value` for all calls, `CALL NAME: value` for one of them. Values may be secrets, and so are not repeated. */
function readHeaders(input: InputReader): PageHeaders {
  const headers: Record<keyof PageHeaders, Record<string, string>> = {
    ...{ all: {}, announce: {}, maintenance: {}, operational: {}, complete: {} },
  };
  for (const line of input.lines('status-page-headers')) {
    const [, call = 'all', name, value = ''] =
      /^(?:(announce|maintenance|operational|complete)\s+)?([\w-]+):\s*(.+)$/.exec(line) ?? [];
    const known = Object.keys(headers).find((key): key is keyof PageHeaders => key === call);
    if (name !== undefined && known !== undefined) headers[known][name.toLowerCase()] = value;
    else {
      input.problem(
        'status-page-headers',
        'has a line that is not `NAME: value`, with announce, maintenance, operational or complete before it or without',
      );
    }
  }
  return headers;
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
