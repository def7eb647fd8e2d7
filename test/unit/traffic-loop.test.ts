import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { FailureKind, TrafficSample, TrafficSettings } from '../../src/model/traffic.js';
import { inFlightLimit, OpenLoop } from '../../src/probe/open-loop.js';

/** The prober against real servers on the loopback address. */
describe('the open loop', () => {
  const servers: Server[] = [];
  const loops: OpenLoop[] = [];

  afterEach(async () => {
    for (const loop of loops.splice(0)) await loop.stop();
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  const serve = async (listener: RequestListener, port = 0): Promise<{ server: Server; port: number }> => {
    const server = createServer(listener);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    return { server, port: (server.address() as AddressInfo).port };
  };
  const send = (port: number, more: Partial<TrafficSettings> = {}): { samples: TrafficSample[]; loop: OpenLoop } => {
    const samples: TrafficSample[] = [];
    const settings: TrafficSettings = {
      url: `http://127.0.0.1:${port}/`,
      ratePerSecond: 100,
      timeoutMs: 2_000,
      keepAlive: false,
      version: undefined,
      maxFailed: undefined,
      ...more,
    };
    const loop = new OpenLoop(settings, (sample) => samples.push(sample));
    loops.push(loop);
    return { samples, loop };
  };
  const kinds = (samples: readonly TrafficSample[]): readonly (FailureKind | 'good')[] => [
    ...new Set(samples.map(({ failure }) => failure?.kind ?? 'good')),
  ];
  const stopAfter = async (loop: OpenLoop, ms: number): Promise<void> => {
    await sleep(ms);
    await loop.stop();
  };

  it('sends at its rate, with a new connection for each request', async () => {
    let connections = 0;
    const { server, port } = await serve((_request, response) => void response.end('ok'));
    server.on('connection', () => (connections += 1));
    const { samples, loop } = send(port);
    await stopAfter(loop, 1_000);
    expect(kinds(samples)).toEqual(['good']);
    expect(samples.length).toBeGreaterThanOrEqual(80);
    expect(samples.length).toBeLessThanOrEqual(130);
    expect(connections).toBe(samples.length);
    const due = samples.map(({ dueMs }) => dueMs).sort((a, b) => a - b);
    const steps = due.slice(1).map((ms, index) => ms - (due[index] ?? 0));
    expect(Math.max(...steps)).toBeLessThan(10.01);
    const sent = samples.length;
    await sleep(100);
    expect(samples.length).toBe(sent);
  });

  it('keeps connections when it is told to', async () => {
    let connections = 0;
    const { server, port } = await serve((_request, response) => void response.end('ok'));
    server.on('connection', () => (connections += 1));
    const { samples, loop } = send(port, { keepAlive: true });
    await stopAfter(loop, 600);
    expect(kinds(samples)).toEqual(['good']);
    expect(samples.length).toBeGreaterThan(40);
    expect(connections).toBeLessThan(samples.length / 4);
  });

  it('goes on sending while nothing is answered, and counts latency from when each was due', async () => {
    let release: (() => void) | undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    let arrived = 0;
    const { port } = await serve((_request, response) => {
      arrived += 1;
      void released.then(() => response.end('late'));
    });
    const { samples, loop } = send(port);
    await sleep(700);
    expect(samples).toEqual([]);
    expect(arrived).toBeGreaterThan(40);
    release?.();
    await loop.stop();
    expect(kinds(samples)).toEqual(['good']);
    const latencies = samples.map(({ dueMs, endedMs }) => endedMs - dueMs);
    expect(Math.max(...latencies)).toBeGreaterThan(600);
  });

  it.each<[FailureKind, RequestListener]>([
    ['5xx', (_request, response) => void response.writeHead(503).end('no')],
    ['other', (_request, response) => void response.writeHead(404).end('no')],
    ['reset', (request) => void request.socket.destroy()],
    ['timeout', () => undefined],
  ])('calls a failure %s', async (kind, listener) => {
    const { port } = await serve(listener);
    const { samples, loop } = send(port, { timeoutMs: 200 });
    await stopAfter(loop, 400);
    expect(kinds(samples)).toEqual([kind]);
    expect(samples.length).toBeGreaterThan(20);
  });

  it('calls an answer that breaks off reset', async () => {
    const { port } = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': '1000' }).write('half of it');
      setTimeout(() => response.destroy(), 20);
    });
    const { samples, loop } = send(port);
    await stopAfter(loop, 200);
    expect(kinds(samples)).toEqual(['reset']);
    expect(samples[0]?.failure?.said).toContain('broke off');
  });

  it('tells refused connections from good ones around a restart', async () => {
    const { server, port } = await serve((_request, response) => void response.end('ok'));
    const { samples, loop } = send(port);
    await sleep(200);
    await new Promise((resolve) => server.close(resolve));
    await sleep(300);
    await serve((_request, response) => void response.end('ok'), port);
    await stopAfter(loop, 200);
    // What is being accepted while the server closes may be reset.
    expect(kinds(samples)).toEqual(expect.arrayContaining(['good', 'refused']));
    const refused = samples.filter(({ failure }) => failure?.kind === 'refused');
    expect(refused.length).toBeGreaterThan(15);
    expect(samples.at(-1)?.failure).toBeUndefined();
  });

  it('has no more in flight than its limit, and counts what it could not send', async () => {
    let inFlight = 0;
    let most = 0;
    const { port } = await serve((request) => {
      most = Math.max(most, (inFlight += 1));
      request.socket.on('close', () => (inFlight -= 1));
    });
    const settings = { ratePerSecond: 1_000, timeoutMs: 2_000 };
    const { samples, loop } = send(port, settings);
    await stopAfter(loop, 1_300);
    expect(inFlightLimit(settings)).toBe(1_000);
    expect(most).toBeLessThanOrEqual(1_000);
    expect(kinds(samples)).toContain('not-sent');
    expect(kinds(samples)).toContain('timeout');
  });

  it('sends once more when a kept connection had been closed, and says so', async () => {
    const { server, port } = await serve((_request, response) => void response.end('ok'));
    const { samples, loop } = send(port, { keepAlive: true, ratePerSecond: 200 });
    await sleep(100);
    for (let count = 0; count < 10; count += 1) {
      // Closed under the client's hands: what is sent on them right now is lost.
      server.closeIdleConnections();
      await sleep(20);
    }
    await loop.stop();
    const failed = samples.filter(({ failure }) => failure !== undefined);
    expect(failed).toEqual([]);
    expect(samples.length).toBeGreaterThan(30);
  });

  it('reads versions from a header and from JSON', async () => {
    const { port } = await serve((_request, response) => {
      response.setHeader('X-Version', '1.2.3');
      response.end('{"build":{"version":"4.5.6"}}');
    });
    const header = send(port, { version: { kind: 'header', name: 'x-version' } });
    const json = send(port, { version: { kind: 'json', field: 'build.version' } });
    await stopAfter(header.loop, 150);
    await json.loop.stop();
    expect([...new Set(header.samples.map(({ version }) => version))]).toEqual(['1.2.3']);
    expect([...new Set(json.samples.map(({ version }) => version))]).toEqual(['4.5.6']);
  });
});
