import { Readable } from 'node:stream';
import { abortFailure } from '../../../src/engine/failures.js';
import type { LogOptions } from '../../../src/model/ports/engine.js';
import { isRunning, rfc3339, type Container, type LogLine } from './container.js';

/** A container's log as bytes; followed, it ends when the container does or the signal aborts. */
export function readLog(container: Container, options: LogOptions, what: string): Readable {
  const { follow = false, since, tail, signal } = options;
  const wanted = container.log.filter((line) => isWanted(line, options));
  const lines = since === undefined ? wanted : wanted.filter(({ atMs }) => atMs >= since * 1_000);
  const stream = new Readable({ read: () => undefined });
  const push = (line: LogLine): void => void stream.push(textOf(line, options));
  for (const line of tail === undefined ? lines : tail === 0 ? [] : lines.slice(-tail)) push(line);
  if (!follow || !isRunning(container)) {
    stream.push(null);
    return stream;
  }
  const listener = (line: LogLine): void => {
    if (isWanted(line, options)) push(line);
  };
  const end = (): void => {
    container.followers.delete(listener);
    container.atEnd.delete(end);
    stream.push(null);
  };
  container.followers.add(listener);
  container.atEnd.add(end);
  if (signal?.aborted === true) throw abortFailure(what, signal);
  signal?.addEventListener('abort', end, { once: true });
  stream.once('close', () => container.followers.delete(listener));
  return stream;
}

function isWanted({ stream }: LogLine, { only }: LogOptions): boolean {
  return only === undefined || only === stream;
}

function textOf({ atMs, text }: LogLine, { timestamps }: LogOptions): string {
  return timestamps === true ? `${rfc3339(atMs)} ${text}\n` : `${text}\n`;
}
