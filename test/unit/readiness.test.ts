import { createServer, type RequestListener } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { describeReadiness, parseReadiness, type ReadinessSignal } from '../../src/model/readiness.js';
import { askHttp, askTcp } from '../../src/probe/ask.js';
import { ProbeHistory } from '../../src/steps/probes/history.js';
import { createMemoryClock } from '../support/memory/clock.js';

describe('readiness as it is written', () => {
  it.each<[string, ReadinessSignal]>([
    ['http://:3000/health', { kind: 'http', tls: false, port: 3000, path: '/health' }],
    ['http://:80', { kind: 'http', tls: false, port: 80, path: '/' }],
    ['https://:8443/up?deep=1', { kind: 'http', tls: true, port: 8443, path: '/up?deep=1' }],
    ['HTTP://:3000/x', { kind: 'http', tls: false, port: 3000, path: '/x' }],
    [' tcp://:5432 ', { kind: 'tcp', port: 5432 }],
    ['pg_isready -U app', { kind: 'command', command: 'pg_isready -U app' }],
    ['curl -f http://localhost:3000/', { kind: 'command', command: 'curl -f http://localhost:3000/' }],
  ])('%s', (text, signal) => {
    expect(parseReadiness(text)).toEqual(signal);
  });

  it.each([
    ['', 'is empty'],
    ['http://app:3000/health', 'names a host'],
    ['http:///health', 'names a host, or no port'],
    ['http://:0/', 'a port that there is not'],
    ['http://:65536/', 'a port that there is not'],
    ['http://:3000/a b', 'names a host, or no port'],
    ['tcp://:99999', 'a port that there is not'],
    ['tcp://:5432/x', 'is no port alone'],
    ['tcp://db:5432', 'is no port alone'],
    ['udp://:53', 'begins with udp://'],
  ])('%s cannot be used', (text, why) => {
    expect(parseReadiness(text)).toEqual({ problem: expect.stringContaining(why) as string });
  });

  it.each(['http://:3000/health', 'https://:8443/', 'tcp://:5432', 'test -f /ready'])('%s is told so', (text) => {
    const parsed = parseReadiness(text);
    expect('problem' in parsed ? parsed.problem : describeReadiness(parsed)).toBe(text);
  });
});

describe('asking', () => {
  const servers: Server[] = [];

  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  const listening = async (server: Server): Promise<number> => {
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  };
  const http = async (listener: RequestListener, timeoutMs = 2_000, path = '/'): Promise<unknown> => {
    const port = await listening(createServer(listener));
    const { signal } = new AbortController();
    return askHttp({ address: '127.0.0.1', port, path, tls: false }, { timeoutMs, signal });
  };
  const unused = async (): Promise<number> => {
    const server = createTcpServer();
    const port = await listening(server);
    await new Promise((resolve) => server.close(resolve));
    return port;
  };

  it.each([
    [200, true],
    [204, true],
    [302, true],
    [399, true],
    [400, false],
    [404, false],
    [500, false],
  ])('an answer with %d is good: %s', async (status, good) => {
    const answer = await http((_request, response) => void response.writeHead(status).end());
    expect(answer).toEqual({ good, reached: true, said: `HTTP ${status}` });
  });

  it('shows the beginning of what a bad answer says, in one line', async () => {
    const answer = await http((_request, response) => {
      response.writeHead(503).end(`waiting\n  for the database ${'x'.repeat(5_000)}`);
    });
    expect(answer).toMatchObject({ good: false, reached: true });
    expect(answer).toHaveProperty('said', expect.stringMatching(/^HTTP 503: waiting for the database x{250,300}$/));
  });

  it('asks for the path, as localhost, and does not wait for the end of a good answer', async () => {
    const seen: unknown[] = [];
    const answer = await http(
      (request, response) => {
        seen.push(request.url, request.headers.host?.replace(/\d+$/, 'PORT'));
        response.write('an answer that goes on');
      },
      300,
      '/up?deep=1',
    );
    expect(answer).toEqual({ good: true, reached: true, said: 'HTTP 200' });
    expect(seen).toEqual(['/up?deep=1', 'localhost:PORT']);
  });

  it('gives up in time on a service that accepts and does not answer', async () => {
    const began = performance.now();
    const answer = await http(() => undefined, 300);
    expect(answer).toEqual({ good: false, reached: true, said: 'no answer within 300 ms' });
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  it('tells a refused connection from an open port', async () => {
    const { signal } = new AbortController();
    const [open, closed] = [await listening(createTcpServer()), await unused()];
    const options = { timeoutMs: 2_000, signal };
    expect(await askTcp({ address: '127.0.0.1', port: open }, options)).toMatchObject({ good: true, reached: true });
    const refused = { good: false, reached: true, said: 'connection refused' };
    expect(await askTcp({ address: '127.0.0.1', port: closed }, options)).toEqual(refused);
    expect(await askHttp({ address: '127.0.0.1', port: closed, path: '/', tls: false }, options)).toEqual(refused);
  });

  it('ends at once when it is aborted', async () => {
    const port = await listening(createServer(() => undefined));
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 50);
    const answer = await askHttp(
      { address: '127.0.0.1', port, path: '/', tls: false },
      { timeoutMs: 60_000, signal: stop.signal },
    );
    expect(answer.good).toBe(false);
  });
});

describe('the history of answers', () => {
  const add = (history: ProbeHistory, atMs: number, said: string, reached = true): void =>
    history.add('tcp://:1', { good: false, reached, said }, atMs);

  it('tells equal answers once, with how often and until when', () => {
    const history = new ProbeHistory(createMemoryClock());
    add(history, 0, 'connection refused');
    add(history, 100, 'connection refused');
    add(history, 2_000, 'connection refused');
    add(history, 2_100, 'HTTP 503: first\nsecond');
    const [excerpt] = history.excerpt('app-1');
    expect(excerpt?.title).toBe('readiness of app-1: what it answered last, of 4 questions');
    expect(excerpt?.lines).toEqual([
      'after 0 ms to 2 s, 3 times: tcp://:1: connection refused',
      'after 2.1 s: tcp://:1: HTTP 503: first',
      '    second',
    ]);
    expect(history.unreachable).toBe(false);
  });

  it('keeps the last ones', () => {
    const history = new ProbeHistory(createMemoryClock());
    for (let count = 1; count <= 20; count += 1) add(history, count, `answer ${count}`);
    expect(history.excerpt('x')[0]?.lines.map((line) => line.replace(/.*answer /, ''))).toEqual([
      '15',
      '16',
      '17',
      '18',
      '19',
      '20',
    ]);
    expect(history.last).toBe('answer 20');
  });

  it('knows when no packet ever came to it', () => {
    const history = new ProbeHistory(createMemoryClock());
    expect(history.unreachable).toBe(false);
    add(history, 0, 'no route to host', false);
    expect(history.unreachable).toBe(true);
    add(history, 1, 'connection refused');
    expect(history.unreachable).toBe(false);
  });
});
