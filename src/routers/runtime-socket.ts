import { connect, type Socket } from 'node:net';
import { ProcedureError } from '../model/errors.js';
import { formatDuration } from '../model/units.js';
import { inLines, type RuntimeTransport } from './haproxy-runtime.js';

/** HAProxy answers within milliseconds; what waits on purpose waits a second. */
const ANSWER_MS = 10_000;

/**
 * HAProxy's Runtime API over its own socket.
 * @param where path of a unix socket, or `tcp://HOST:PORT`
 */
export function runtimeSocket(where: string): RuntimeTransport {
  return async (commands) => {
    let answer = '';
    for (const line of inLines(commands)) answer += await ask(where, line);
    return answer;
  };
}

function ask(where: string, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = open(where);
    let answer = '';
    // Our side stays open until HAProxy closes: to a half-closed connection it does not answer what has to wait.
    socket.setEncoding('utf8').on('data', (text: string) => (answer += text));
    const timer = setTimeout(() => {
      socket.destroy();
      reject(noAnswer(where, undefined, `no answer within ${formatDuration(ANSWER_MS)}`));
    }, ANSWER_MS);
    socket.once('connect', () => socket.write(`${line}\n`));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      reject(noAnswer(where, error.code, error.message));
    });
    socket.once('end', () => {
      clearTimeout(timer);
      socket.end();
      resolve(answer);
    });
  });
}

function open(where: string): Socket {
  if (!where.startsWith('tcp://')) return connect({ path: where });
  const { hostname, port } = new URL(where);
  return connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) });
}

function noAnswer(where: string, code: string | undefined, said: string): ProcedureError {
  return new ProcedureError('E_ROUTER', `HAProxy does not answer at ${where}: ${said}`, { next: nextFor(where, code) });
}

function nextFor(where: string, code: string | undefined): string {
  if (code === 'EACCES') {
    return `The user of this process may not open ${where}: give the socket a group or a mode that lets it (stats socket … mode 660 group NAME).`;
  }
  if (code === 'ENOENT') {
    return `There is no such socket: look at "stats socket" in HAProxy's configuration; of a HAProxy in a container, mount the folder of the socket.`;
  }
  return `Look whether HAProxy runs, and whether "stats socket ${where.replace(/^tcp:\/\//, 'ipv4@')} level admin" is in its configuration.`;
}
