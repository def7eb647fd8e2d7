import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

/** Of an answer that is not good. */
const SHOWN_BYTES = 200;

export interface Call {
  readonly method: string;
  readonly url: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * One call with a JSON body. Redirects are not followed: what is sent is meant for the address that was given. Node's own
 * client, which every run has loaded already; behind a proxy from Node 24.5 on (https://nodejs.org/api/http.html,
 * "Built-in Proxy Support"), which is what the runner brings along.
 * @throws Error with what was answered, never with the address: it may be a secret
 */
export async function sendJson({ method, url, body, headers }: Call, signal: AbortSignal): Promise<void> {
  const target = new URL(url);
  const secure = target.protocol === 'https:';
  const settings = { keepAlive: false, proxyEnv: process.env };
  await new Promise<void>((resolve, reject) => {
    const options = {
      method,
      signal,
      headers: {
        'content-type': 'application/json',
        'content-length': String(Buffer.byteLength(body)),
        'user-agent': 'rolling-restart',
        ...headers,
      },
    };
    const request = secure
      ? httpsRequest(target, { ...options, agent: new HttpsAgent(settings) })
      : httpRequest(target, { ...options, agent: new HttpAgent(settings) });
    request.on('error', reject);
    request.on('response', (response) => {
      const status = response.statusCode ?? 0;
      let said = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        if (said.length < SHOWN_BYTES) said += text;
      });
      response.on('error', reject);
      response.on('end', () => {
        if (status >= 200 && status < 300) resolve();
        else reject(new Error(`HTTP ${status}${words(said)}`));
      });
    });
    request.end(body);
  });
}

function words(said: string): string {
  const text = said.slice(0, SHOWN_BYTES).replaceAll(/\s+/g, ' ').trim();
  return text === '' ? '' : `: ${text}`;
}

/** @returns the host of an address, which is all of it that may be shown */
export function hostOf(url: string): string {
  return new URL(url).host;
}
