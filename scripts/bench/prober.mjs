/** Traffic that does not wait: 100 requests a second, each over a connection of its own, whatever became of the others. */
import { get } from 'node:http';

const EVERY_MS = 10;
const PATIENCE_MS = 2_000;

/**
 * @param {number} port
 * @returns {{ stop: () => Promise<{ outageMs: number, requests: number, failed: number }> }}
 *   outageMs: from the first request that failed to the first that went well after the last that failed, by when each
 *   was sent
 */
export function startProber(port) {
  const requests = [];
  const pending = new Set();
  const began = performance.now();
  const send = () => {
    const entry = { atMs: performance.now(), ok: false };
    requests.push(entry);
    const done = new Promise((resolve) => {
      const options = { host: '127.0.0.1', port, agent: false, timeout: PATIENCE_MS };
      const request = get(options, (response) => {
        response.resume();
        response.on('end', () => resolve((entry.ok = response.statusCode === 200)));
        response.on('error', resolve);
      });
      request.on('timeout', () => request.destroy());
      request.on('error', resolve);
      request.on('close', resolve);
    });
    pending.add(done);
    done.then(() => pending.delete(done));
  };
  let sent = 0;
  // Open loop: a late timer sends what is due, so that a busy machine does not thin the traffic out.
  const timer = setInterval(() => {
    while (sent * EVERY_MS <= performance.now() - began) {
      sent += 1;
      send();
    }
  }, EVERY_MS / 2);
  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(pending);
      return { outageMs: outage(requests), requests: requests.length, failed: requests.filter(({ ok }) => !ok).length };
    },
  };
}

function outage(requests) {
  const first = requests.findIndex(({ ok }) => !ok);
  if (first === -1) return 0;
  const last = requests.findLastIndex(({ ok }) => !ok);
  const back = requests[last + 1];
  if (back === undefined) throw new Error('the service did not come back while it was probed');
  return back.atMs - requests[first].atMs;
}
