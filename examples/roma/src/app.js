import { createServer } from 'node:http';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

import { isDate, onThisDay } from './almanac.js';

const MAX_ENTRY_BYTES = 10_000;
const MAX_SLOW_MS = 60_000;

/**
 * The HTTP side of ROMA.
 *
 * @param {object} options
 * @param {{ version: string, commit: string, bootTime: string, boots: number }} options.release
 * @param {string} options.greeting shown at /
 * @param {Array<{ date: string, year: string, text: string }>} options.almanac
 * @param options.state see state.js
 * @param options.chaos see chaos.js
 * @returns `server`, not yet listening; `inFlight()`, the number of requests
 *   being answered; `stop()`, which accepts nothing new and resolves when the
 *   last of them is done
 */
export function createApp({ release, greeting, almanac, state, chaos }) {
  let inFlight = 0;
  let stopping = false;

  const routes = {
    'GET /': () => [200, `ROMA ${release.version}: ${greeting}\n`],

    'GET /health': () => (chaos.healthy() ? [200, { status: 'ok' }] : [503, { status: 'unhealthy' }]),

    'GET /version': () => [200, { ...release, hostname: hostname() }],

    'GET /onthisday': (url) => {
      const date = url.searchParams.get('date') ?? new Date().toISOString().slice(5, 10);
      if (!isDate(date)) return [400, { message: 'date: expected MM-DD' }];
      return [200, { date, entries: onThisDay(almanac, date) }];
    },

    'GET /slow': async (url) => {
      const ms = Number(url.searchParams.get('ms') ?? 2000);
      if (!(ms >= 0 && ms <= MAX_SLOW_MS)) {
        return [400, { message: `ms: expected 0 to ${MAX_SLOW_MS}` }];
      }
      await sleep(ms);
      return [200, { waitedMs: ms, version: release.version }];
    },

    'GET /entries': () => [200, { entries: state.entries() }],

    'POST /entries': async (_url, request) => {
      const text = await readText(request);
      if (text === undefined) return [413, { message: `at most ${MAX_ENTRY_BYTES} bytes` }];
      if (text === '') return [400, { message: 'send the text of the entry as the body' }];
      return [201, state.addEntry(text)];
    },
  };

  const answer = async (request) => {
    const url = new URL(request.url, 'http://roma');
    const route = routes[`${request.method === 'HEAD' ? 'GET' : request.method} ${url.pathname}`];
    if (!route) return [404, { message: 'not found' }];
    const allowed = url.pathname === '/health' || (await chaos.allowsRequest());
    return allowed ? route(url, request) : [500, { message: 'failed on purpose' }];
  };

  const server = createServer(async (request, response) => {
    inFlight += 1;
    response.on('close', () => (inFlight -= 1));
    let status;
    let body;
    try {
      [status, body] = await answer(request);
    } catch (error) {
      [status, body] = [500, { message: error.message }];
    }
    const json = typeof body !== 'string';
    response.writeHead(status, {
      'content-type': json ? 'application/json' : 'text/plain; charset=utf-8',
      // Which release answered, for whoever counts them during a change.
      'x-roma-version': release.version,
      // A client must not send its next request to a server that is leaving.
      ...(stopping && { connection: 'close' }),
    });
    response.end(json ? `${JSON.stringify(body)}\n` : body);
  });

  // Longer than whatever is in front keeps a connection, which must not use one that is just being closed.
  server.keepAliveTimeout = 75_000;

  return {
    server,
    inFlight: () => inFlight,
    stop() {
      stopping = true;
      return new Promise((resolve) => server.close(resolve)); // closes idle connections too
    },
  };
}

/** The body, trimmed; undefined when it is too long. */
async function readText(request) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > MAX_ENTRY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8').trim();
}
