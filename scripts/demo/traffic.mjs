/** Somebody who uses the service all the time, and counts. */
import { get } from 'node:http';
import { sleep } from '../lib/files.mjs';
import { seconds } from './show.mjs';

/** @typedef {{ version: string | undefined, requests: number, fromMs: number, toMs: number }} Stretch */

/**
 * One GET over a new connection. Not `fetch`: in Node 20 that never settles when the connection is closed at once,
 * which is what a published port does while its container is not ready.
 *
 * @param {string} url
 * @param {number} [timeoutMs]
 * @returns {Promise<{ status: number, text: string }>}
 */
export function ask(url, timeoutMs = 3000) {
  return new Promise((resolve, reject) => {
    get(url, { agent: false, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode, text }));
      response.on('error', reject);
    }).on('error', reject);
  });
}

/** The version that answers, or undefined when nothing good does. */
export async function askVersion(base) {
  try {
    const { status, text } = await ask(`${base}/version`);
    return status === 200 ? JSON.parse(text).version : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Asks the service for its version, one request after the other, until it is stopped.
 *
 * @param {string} base
 * @returns {{ stop(): Promise<Stretch[]> }} stretches in which the same version answered, or nothing did
 */
export function startTraffic(base) {
  const stretches = [];
  let running = true;
  const work = (async () => {
    while (running) {
      const version = await askVersion(base);
      const now = performance.now();
      const last = stretches.at(-1);
      if (last !== undefined && last.version === version) {
        last.requests += 1;
        last.toMs = now;
      } else {
        stretches.push({ version, requests: 1, fromMs: last?.toMs ?? now, toMs: now });
        if (last !== undefined && version !== undefined) last.toMs = now;
      }
      await sleep(20);
    }
  })();
  return {
    async stop() {
      running = false;
      await work;
      return stretches;
    },
  };
}

/** `1.0.0 (212 answers) → no answer for 0.8 s → 2.0.0 (160 answers)` */
export function describeTraffic(stretches) {
  return stretches
    .map(({ version, requests, fromMs, toMs }) =>
      version === undefined
        ? `no answer for ${seconds(toMs - fromMs)} (${requests} requests)`
        : `${version} (${requests} answers)`,
    )
    .join(' → ');
}
