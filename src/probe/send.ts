import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { versionOf, type FailureKind, type TrafficSettings } from '../model/traffic.js';
import { formatDuration } from '../model/units.js';

/** Of a body that a version is read from; the rest is read and thrown away. */
const KEPT_BYTES = 64 * 1024;

/** A kept connection that turns out to be closed does so at once; what breaks off later had been read. */
const CLOSED_WITHIN_MS = 50;

export interface Sent {
  readonly failure: { readonly kind: FailureKind; readonly said: string } | undefined;
  readonly version: string | undefined;
  readonly retried: boolean;
}

/**
 * Sends single requests. Node's own client and not undici: it opens a new connection for each request when it is told to,
 * where undici pools always; it says whether a connection was a kept one; and it costs no dependency.
 */
export class Sender {
  private readonly agent: HttpAgent;
  private readonly url: URL;

  constructor(private readonly settings: TrafficSettings) {
    this.url = new URL(settings.url);
    const options = { keepAlive: settings.keepAlive, maxSockets: Infinity };
    this.agent = this.url.protocol === 'https:' ? new HttpsAgent(options) : new HttpAgent(options);
  }

  /** Never rejects: what goes wrong is what it resolves with. */
  async send(): Promise<Sent> {
    const deadline = performance.now() + this.settings.timeoutMs;
    const first = await this.once(this.settings.timeoutMs, this.agent);
    if (first !== 'closed-before') return { ...first, retried: false };
    // A connection of its own: the other kept ones may be closed as well.
    const second = await this.once(Math.max(1, deadline - performance.now()), false);
    if (second !== 'closed-before') return { ...second, retried: true };
    return { failure: { kind: 'reset', said: 'kept connections are closed' }, version: undefined, retried: true };
  }

  close(): void {
    this.agent.destroy();
  }

  /**
   * @param agent false: a connection of its own
   * @returns `closed-before` when a kept connection was closed before this request: RFC 9112, 9.3.1, allows another try
   */
  private once(timeoutMs: number, agent: HttpAgent | false): Promise<Omit<Sent, 'retried'> | 'closed-before'> {
    const { settings, url } = this;
    return new Promise((resolve) => {
      let late = false;
      const sentAt = performance.now();
      const bad = (kind: FailureKind, said: string): void => {
        clearTimeout(timer);
        resolve({ failure: { kind, said }, version: undefined });
      };
      const tooLate = (): void => bad('timeout', `no answer within ${formatDuration(settings.timeoutMs)}`);
      const options = { agent, headers: { 'user-agent': 'rolling-restart traffic' } };
      const request = url.protocol === 'https:' ? httpsRequest(url, options) : httpRequest(url, options);
      const timer = setTimeout(() => {
        late = true;
        request.destroy();
        tooLate();
      }, timeoutMs);
      request.on('error', (error: NodeJS.ErrnoException) => {
        if (late) return;
        const atOnce = performance.now() - sentAt < CLOSED_WITHIN_MS;
        if (request.reusedSocket && atOnce && failureKind(error.code) === 'reset') {
          clearTimeout(timer);
          resolve('closed-before');
        } else bad(failureKind(error.code), error.message === '' ? (error.code ?? 'no reason') : error.message);
      });
      request.on('response', (response) => {
        const status = response.statusCode ?? 0;
        const good = status >= 200 && status < 400;
        const body = keep(response, good && settings.version?.kind === 'json');
        // The request reports an error of its own only before there is an answer.
        response.on('error', () => (late ? undefined : bad('reset', `the answer (HTTP ${status}) broke off`)));
        response.on('end', () => {
          clearTimeout(timer);
          if (!good) bad(status >= 500 ? '5xx' : 'other', `HTTP ${status}`);
          else {
            const { version } = settings;
            resolve({
              failure: undefined,
              version: version === undefined ? undefined : versionOf(version, response.headers, body()),
            });
          }
        });
      });
      request.end();
    });
  }
}

/** Reads an answer to its end. @returns a function that gives its beginning, when that is wanted */
function keep(response: IncomingMessage, wanted: boolean): () => string {
  if (!wanted) {
    response.resume();
    return () => '';
  }
  const chunks: Buffer[] = [];
  let length = 0;
  response.on('data', (chunk: Buffer) => {
    if (length < KEPT_BYTES) chunks.push(chunk);
    length += chunk.length;
  });
  return () => Buffer.concat(chunks).toString('utf8');
}

function failureKind(code: string | undefined): FailureKind {
  switch (code) {
    case 'ECONNREFUSED':
      return 'refused';
    case 'ECONNRESET':
    case 'EPIPE':
    case 'ECONNABORTED':
      return 'reset';
    case 'ETIMEDOUT':
      return 'timeout';
    default:
      return 'other';
  }
}
