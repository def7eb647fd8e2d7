import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import type { HttpTarget, ProbeAnswer, ProbeOptions, TcpTarget } from '../model/ports/probe.js';
import { formatDuration } from '../model/units.js';

/** Of the body of an answer that is not good. */
const SHOWN_BYTES = 300;

/** Codes of errors that say that no packet comes to the address, and nothing of the service behind it. */
const NO_WAY_THERE: ReadonlySet<string> = new Set(['EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL', 'EACCES']);

/** One GET. `Host:` is localhost, which services that check it accept, since health checks inside a container say so. */
export async function askHttp(target: HttpTarget, { timeoutMs, signal }: ProbeOptions): Promise<ProbeAnswer> {
  const deadline = AbortSignal.timeout(timeoutMs);
  const { address, port, path, tls } = target;
  let connected = false;
  return new Promise((resolve) => {
    const failed = (error: Error): void => {
      resolve(deadline.aborted ? tooSlow(timeoutMs, connected) : failure(error));
    };
    const options = {
      host: address,
      port,
      path,
      agent: false as const,
      headers: { host: `localhost:${port}`, 'user-agent': 'rolling-restart readiness' },
      signal: AbortSignal.any([signal, deadline]),
    };
    // The certificate is for the service's public name, and never for a container's address.
    const request = tls ? httpsRequest({ ...options, rejectUnauthorized: false }) : httpRequest(options);
    request.on('socket', (socket) => socket.once('connect', () => (connected = true)));
    request.on('error', failed);
    request.on('response', (response) => {
      const status = response.statusCode ?? 0;
      const good = status >= 200 && status < 400;
      response.on('error', failed);
      if (good) {
        // Read to its end, however long that takes: a service should not see its health check cut off.
        response.resume();
        resolve({ good, reached: true, said: `HTTP ${status}` });
        return;
      }
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        if (body.length < SHOWN_BYTES) body += text;
      });
      response.on('end', () => {
        const words = body.slice(0, SHOWN_BYTES).replaceAll(/\s+/g, ' ').trim();
        resolve({ good, reached: true, said: words === '' ? `HTTP ${status}` : `HTTP ${status}: ${words}` });
      });
    });
    request.end();
  });
}

/** One connection. */
export async function askTcp({ address, port }: TcpTarget, { timeoutMs, signal }: ProbeOptions): Promise<ProbeAnswer> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, signal });
    const done = (answer: ProbeAnswer): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(timeoutMs, () => done(tooSlow(timeoutMs, false)));
    socket.once('connect', () => done({ good: true, reached: true, said: `port ${port} is open` }));
    socket.once('error', (error) => done(failure(error)));
  });
}

function tooSlow(timeoutMs: number, connected: boolean): ProbeAnswer {
  const what = connected ? 'no answer' : 'no connection';
  return { good: false, reached: connected, said: `${what} within ${formatDuration(timeoutMs)}` };
}

function failure(error: Error): ProbeAnswer {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const said = code === 'ECONNREFUSED' ? 'connection refused' : error.message;
  return { good: false, reached: code === undefined || !NO_WAY_THERE.has(code), said };
}
