import { get } from 'node:http';
import { get as getSecurely } from 'node:https';

/**
 * One GET over a connection of its own. (Not `fetch`: in Node 20 it never
 * settles when the connection is closed as soon as it is open, and that is
 * what a published port does while its container is not ready.)
 *
 * @param {string | URL} url
 * @param {number} timeoutMs for the whole request
 * @returns {Promise<{ ok: boolean, status: number, text: string }>}
 */
export function request(url, timeoutMs) {
  const options = { agent: false, signal: AbortSignal.timeout(timeoutMs) };
  const send = new URL(url).protocol === 'https:' ? getSecurely : get;
  return new Promise((resolve, reject) => {
    send(url, options, (response) => {
      const { statusCode: status } = response;
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => (text += chunk));
      response.on('end', () => resolve({ ok: status === 200, status, text: text.trim() }));
      response.on('error', reject);
    }).on('error', (error) => {
      reject(options.signal.aborted ? new Error(`no answer within ${timeoutMs} ms`) : error);
    });
  });
}
