import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { afterEach } from 'vitest';

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly json: unknown;
  readonly at: number;
}

export interface Receiver {
  /** Without a slash at its end. */
  readonly url: string;
  readonly received: Received[];
  close(): void;
}

/** A real HTTP endpoint that keeps what it gets. @param answer 204 unless given; one that does nothing is one that hangs */
export async function makeReceiver(
  answer: (response: ServerResponse, path: string) => void = (response) => response.writeHead(204).end(),
): Promise<Receiver> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (part: string) => (text += part));
    request.on('end', () => {
      const path = request.url ?? '';
      const json: unknown = text === '' ? undefined : JSON.parse(text);
      received.push({ method: request.method ?? '', path, headers: request.headers, text, json, at: Date.now() });
      answer(response, path);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    received,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** @returns what makes receivers that are closed after the test which made them */
export function receiversOfATest(): typeof makeReceiver {
  const made: Receiver[] = [];
  afterEach(() => {
    for (const one of made.splice(0)) one.close();
  });
  return async (answer) => {
    const one = await makeReceiver(answer);
    made.push(one);
    return one;
  };
}
