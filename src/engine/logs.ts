import type { IncomingMessage } from 'node:http';
import { PassThrough, type Readable, type Transform } from 'node:stream';
import type { LogOptions } from '../model/ports/engine.js';
import type { EngineClient } from './client.js';
import { short } from './containers.js';
import { abortFailure } from './failures.js';
import { LogFrames } from './frames.js';

/** A log that has to be searched for its end can take a while to begin. */
const FIRST_BYTE_MS = 60_000;

/**
 * A container's log as bytes, as it is read: the engine waits for a slow reader, and nothing piles up here.
 *
 * Followed, it ends when the container does or the signal aborts. Not followed, an abort is an error of the stream: what
 * was read is not the whole log. Destroying the stream closes the connection.
 */
export async function readLogs(client: EngineClient, id: string, options: LogOptions): Promise<Readable> {
  const { follow = false, signal } = options;
  const what = `read the log of container ${short(id)}`;
  const query = {
    stdout: options.only === 'stderr' ? '0' : '1',
    stderr: options.only === 'stdout' ? '0' : '1',
    follow: follow ? '1' : '0',
    timestamps: options.timestamps === true ? '1' : '0',
    ...(options.since === undefined ? {} : { since: options.since.toFixed(6) }),
    ...(options.tail === undefined ? {} : { tail: String(options.tail) }),
  };
  const request = { method: 'GET', path: `/containers/${id}/logs`, query } as const;
  const response = await client.open(what, request, { timeoutMs: FIRST_BYTE_MS, signal });
  const log = isRaw(response) ? new PassThrough() : new LogFrames(options.timestamps === true);
  return joined(response, log, (cause) => {
    if (signal?.aborted !== true) return client.broken(what, cause);
    return follow ? undefined : abortFailure(what, signal);
  });
}

/** What a container without a terminal prints from now on, until its end; to be asked for before its start. */
export async function attachTo(client: EngineClient, id: string, signal: AbortSignal): Promise<Readable> {
  const what = `read what container ${short(id)} prints`;
  const query = { stream: '1', stdout: '1', stderr: '1' };
  const response = await client.open(what, { method: 'POST', path: `/containers/${id}/attach`, query }, { signal });
  // It has frames, although its type says otherwise where the connection is not upgraded (moby, container_routes.go).
  return joined(response, new LogFrames(false), (cause) =>
    signal.aborted ? abortFailure(what, signal) : client.broken(what, cause),
  );
}

/** A container with a terminal has a log without frames; since API 1.42 the answer's type says so. */
function isRaw(response: IncomingMessage): boolean {
  return response.headers['content-type'] === 'application/vnd.docker.raw-stream';
}

/** @param verdict on a response that broke off: the error of the log, or undefined when it just ends */
function joined<T extends Transform>(
  response: IncomingMessage,
  log: T,
  verdict: (cause: unknown) => Error | undefined,
): T {
  let cause: unknown;
  response.once('error', (error) => (cause = error));
  response.once('close', () => {
    if (response.complete) return;
    const error = verdict(cause);
    if (error === undefined) log.end();
    else log.destroy(error);
  });
  log.once('close', () => response.destroy());
  return response.pipe(log);
}
