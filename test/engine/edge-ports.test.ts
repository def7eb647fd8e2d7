import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EdgePort } from '../../src/model/edge.js';
import { EDGE_IMAGE, makeEdgeBench, type EdgeBench } from '../support/edge.js';
import { makeProject, type Project } from '../support/project.js';

/** HTTP on 8080 says what headers came, TLS on 8443 greets, TCP on 9000 says whose address the PROXY header has. */
const SERVER = `import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTcp } from 'node:net';
import { createServer as createTls } from 'node:tls';
createServer((request, response) => response.end(JSON.stringify(request.headers))).listen(8080);
createTls({ key: readFileSync('key.pem'), cert: readFileSync('cert.pem') }, (socket) => {
  socket.on('error', () => {});
  socket.end('hello');
}).on('tlsClientError', () => {}).listen(8443);
createTcp((socket) => {
  socket.on('error', () => {});
  socket.once('data', (data) => {
    const second = data.subarray(0, 12).toString('hex') === '0d0a0d0a000d0a515549540a' && data[12] === 0x21;
    socket.end(second && data[13] === 0x11 ? [...data.subarray(16, 20)].join('.') : 'no header');
  });
}).listen(9000);
process.on('SIGTERM', () => process.exit(0));
`;

let project: Project;
let bench: EdgeBench;
let certificate: string;
let container: string;
let ports: Record<'tls' | 'proxied', number>;

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rr-certificate-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  try {
    execFileSync('openssl', [...made, '-subj', '/CN=own.test', '-keyout', key, '-out', cert], { stdio: 'ignore' });
    certificate = readFileSync(cert, 'utf8');
    project = await makeProject({
      fixture: 'plain',
      files: { 'app/server.mjs': SERVER, 'app/key.pem': readFileSync(key, 'utf8'), 'app/cert.pem': certificate },
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
  await project.compose(['up', '-d', '--build']);
  bench = await makeEdgeBench(project);
  container = await project.containerId('app');
  ports = { tls: await freePort(), proxied: await freePort() };
  const tcp = (target: number, port: number, proxyProtocol = false): Partial<EdgePort> => ({
    target,
    published: String(port),
    mode: 'tcp',
    proxyProtocol,
  });
  const spec = bench.spec('app', [{}, tcp(8443, ports.tls), tcp(9000, ports.proxied, true)]);
  await bench.installed(spec, [container]);
});

afterAll(async () => {
  await bench.cleanup();
  await project.cleanup();
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function headers(sent: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  const asked = request(`${project.url}/`, { headers: sent, agent: false, timeout: 5_000 });
  asked.on('timeout', () => asked.destroy(new Error('no answer'))).end();
  const [response] = (await once(asked, 'response')) as [NodeJS.ReadableStream];
  return JSON.parse(await text(response)) as Record<string, string>;
}

describe('a service with several ports behind the edge', () => {
  it('is told the address of the client over HTTP, and none that the client made up', async () => {
    const plain = (await headers({ 'x-own': 'kept' }))['x-forwarded-for'];
    expect(plain).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    const forged = await headers({ 'x-own': 'kept', 'x-forwarded-for': '203.0.113.7' });
    expect(forged).toMatchObject({ 'x-own': 'kept', 'x-forwarded-for': plain });
  });

  it('shows its own certificate over TLS, which is passed through', async () => {
    const mode = (port: number): Promise<string> =>
      bench.engine
        .container(container)
        .then((one) => (one === undefined ? 'none' : bench.edges.modeOf(project.name, one, port, EDGE_IMAGE)));
    expect(await Promise.all([mode(8080), mode(8443)])).toEqual(['http', 'tcp']);
    const socket = connectTls({ port: ports.tls, host: '127.0.0.1', ca: certificate, servername: 'own.test' });
    socket.setTimeout(5_000, () => socket.destroy(new Error('no answer')));
    await once(socket, 'secureConnect');
    expect(socket.getPeerX509Certificate()?.fingerprint256).toBe(new X509Certificate(certificate).fingerprint256);
    expect(await text(socket)).toBe('hello');
  });

  it('is told the address by the PROXY protocol where that is asked for', async () => {
    const socket = connect(ports.proxied, '127.0.0.1');
    socket.setTimeout(5_000, () => socket.destroy(new Error('no answer')));
    socket.write('hi');
    const told = await text(socket);
    expect(told).toBe((await headers({}))['x-forwarded-for']);
  });
});
