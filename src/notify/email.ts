import { isTold, noticeTitle, whatIsLive, type Notice, type NotificationSettings } from '../model/notification.js';
import type { Channel } from '../model/ports/notifications.js';
import { formatDuration } from '../model/units.js';

/** Of each step of the conversation; the whole has the deadline that every channel has. */
const STEP_MS = 5_000;

/** Where mail comes from and goes to. */
interface Mail {
  readonly subject: string;
  readonly text: string;
  readonly messageId: string;
  /** First message of the thread; mail programs sort by it, whether it was sent or not. */
  readonly references: string;
}

/**
 * E-mail by SMTP, with nodemailer, which is loaded when the first mail is written and not before. A password goes over TLS
 * or not at all, but for a server on this host.
 */
export function createEmail({ email, on }: NotificationSettings): Channel | undefined {
  if (email === undefined) return undefined;
  const { smtpUrl, from, to } = email;
  const { protocol, hostname, port, username, password } = new URL(smtpUrl);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const secure = protocol === 'smtps:';
  let count = 0;
  return {
    name: 'e-mail',
    describe: (message) => (isTold(message, on) ? `mail to ${to.join(', ')} by ${host}` : undefined),
    async send(message, signal) {
      if (!isTold(message, on)) return;
      const mail = mailOf(message, (count += 1), on.includes('start'));
      const { createTransport } = await import('nodemailer');
      const transport = createTransport({
        host,
        port: port === '' ? (secure ? 465 : 587) : Number(port),
        secure,
        requireTLS: username !== '' && !isThisHost(host),
        ...(username === ''
          ? {}
          : { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
        connectionTimeout: STEP_MS,
        greetingTimeout: STEP_MS,
        socketTimeout: STEP_MS,
        dnsTimeout: STEP_MS,
      });
      signal.addEventListener('abort', () => transport.close(), { once: true });
      const { accepted, rejected } = await transport.sendMail({
        from,
        to: [...to],
        ...mail,
        inReplyTo: mail.references,
        headers: { 'Auto-Submitted': 'auto-generated' },
      });
      if (rejected.length === 0) return;
      const others = accepted.length === 0 ? '' : `; it went to ${accepted.map(addressOf).join(', ')}`;
      throw new Error(`the server takes no mail for ${rejected.map(addressOf).join(', ')}${others}`);
    },
  };
}

function addressOf(recipient: string | { readonly address: string }): string {
  return typeof recipient === 'string' ? recipient : recipient.address;
}

function isThisHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}

/**
 * @param threaded whether the beginning is mailed as well: then all of a thread has one subject, since some mail programs
 *   begin another one with another subject; otherwise the subject says what happened
 */
export function mailOf(notice: Notice, count: number, threaded: boolean): Mail {
  const { moment, project, procedure, thread } = notice;
  const title = noticeTitle(notice);
  const first = moment === 'start' || moment === 'announcement';
  const common = `[${project}] ${procedure} ${thread}`;
  const id = thread.replaceAll(/[^\w.-]/g, '-');
  const name = `${notice.run.replaceAll(/[^\w.-]/g, '-')}.${count}.${moment}`;
  return {
    subject: oneLine(threaded ? `${first ? '' : 'Re: '}${common}` : `[${project}] ${title}`),
    text: `${bodyOf(notice, title).join('\n')}\n`,
    messageId: `<${name}@rolling-restart.invalid>`,
    references: `<${id}@rolling-restart.invalid>`,
  };
}

function bodyOf(notice: Notice, title: string): readonly string[] {
  const facts = [
    ['Services', notice.services.join(', ')],
    ['Live', whatIsLive(notice)],
    ...notice.pullRequests.map(({ number, url }) => [`Pull request #${number}`, url] as const),
    ['Outcome', notice.outcome],
    ['Took', notice.durationMs === undefined ? undefined : formatDuration(notice.durationMs)],
    ['Reason', notice.reason],
    ['Error', notice.problem === undefined ? undefined : `${notice.problem.code}: ${notice.problem.message}`],
    ['By', notice.by],
    ['Host', notice.host],
    ['Run', notice.runUrl ?? notice.run],
  ].flatMap(([name, value]) => (value === undefined || value === '' ? [] : [`${name}: ${value}`]));
  const next = notice.next.length === 0 ? [] : ['', 'What to do next:', ...notice.next.map((step) => `- ${step}`)];
  return [title, '', notice.headline, ...next, '', ...facts];
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').slice(0, 200);
}
