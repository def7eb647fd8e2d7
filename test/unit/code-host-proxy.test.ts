import { createServer, type IncomingMessage, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createCodeHost } from '../support/code-host.js';

/** In a file of its own: @actions/github reads the proxy's address once, when it is loaded. */
describe('the code host of a runner behind a proxy', () => {
  const tunnels: (string | undefined)[] = [];
  let api: Server;
  let proxy: Server;

  beforeAll(async () => {
    api = createServer((_request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify([{ number: 7, title: 'Add the almanac', html_url: 'https://example.test/7' }]));
    });
    await listening(api);
    proxy = createServer().on('connect', (request: IncomingMessage, client) => {
      tunnels.push(request.url);
      const through = connect(portOf(api), '127.0.0.1', () => {
        client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
        through.pipe(client).pipe(through);
      });
      through.on('error', () => client.destroy());
      client.on('error', () => through.destroy()).on('close', () => through.destroy());
    });
    await listening(proxy);
    vi.stubEnv('GITHUB_API_URL', 'http://api.example.test');
    vi.stubEnv('http_proxy', `http://127.0.0.1:${portOf(proxy)}`);
  });

  afterAll(() => {
    vi.unstubAllEnvs();
    for (const server of [api, proxy]) {
      server.closeAllConnections();
      server.close();
    }
  });

  it('asks through it, and goes on without an answer when it is gone', async () => {
    const problems: string[] = [];
    const host = createCodeHost({
      token: 't0ken',
      repository: 'acme/roma',
      apiUrl: 'http://api.example.test',
      onProblem: (line) => problems.push(line),
    });
    const ask = async (): Promise<readonly number[]> =>
      (await host.pullRequestsOf('c0ffee1234567890c0ffee1234567890c0ffee12')).map(({ number }) => number);
    expect(await ask()).toEqual([7]);
    expect(tunnels).toEqual(['api.example.test:80']);
    expect(problems).toEqual([]);
    proxy.closeAllConnections();
    await new Promise((resolve) => {
      proxy.close(resolve);
      api.closeAllConnections();
    });
    expect(await ask()).toEqual([]);
    expect(problems).toHaveLength(1);
  });
});

async function listening(server: Server): Promise<void> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
