import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resolveEndpoint } from '../../src/engine/endpoint.js';
import { createDockerEngine, type DockerEngine } from '../../src/engine/engine.js';
import { docker } from '../support/engine-containers.js';

const run = promisify(execFile);

let folder: string;
let socket: string;
let engineId: string;
const servers: Server[] = [];
const sockets = new Set<Socket>();

async function listen<S extends Server>(server: S, where: string | number, host = '127.0.0.1'): Promise<S> {
  servers.push(server);
  server.on('connection', (one: Socket) => sockets.add(one));
  if (typeof where === 'string') server.listen(where);
  else server.listen(where, host);
  await once(server, 'listening');
  return server;
}

/** The machine's own engine, reached another way. */
function forward(client: Socket): void {
  const upstream = connect(socket);
  sockets.add(upstream);
  client.pipe(upstream).pipe(client);
  for (const one of [client, upstream]) one.on('error', () => undefined);
  client.on('close', () => upstream.destroy());
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it does not listen on a port');
  return address.port;
}

async function engineAt(environment: NodeJS.ProcessEnv): Promise<DockerEngine> {
  return createDockerEngine(await resolveEndpoint(environment, folder), () => undefined);
}

/** The id that the Docker CLI sees with what an endpoint gives to children. */
async function idByCli(environment: NodeJS.ProcessEnv): Promise<string> {
  const { cliEnvironment } = await resolveEndpoint(environment, folder);
  const { stdout } = await run('docker', ['info', '--format', '{{.ID}}'], {
    env: { PATH: process.env['PATH'], HOME: folder, ...cliEnvironment },
  });
  return stdout.trim();
}

/** A certificate authority, a server and a client, as Docker's documentation makes them. */
async function makeCertificates(): Promise<void> {
  const openssl = (...args: readonly string[]) => run('openssl', args, { cwd: folder });
  const days = ['-days', '2', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc'];
  await openssl('req', '-x509', ...days, '-subj', '/CN=rr-ca', '-keyout', 'ca-key.pem', '-out', 'ca.pem');
  const signed = ['-x509', ...days, '-CA', 'ca.pem', '-CAkey', 'ca-key.pem'];
  const name = ['-addext', 'subjectAltName=IP:127.0.0.1'];
  await openssl('req', ...signed, ...name, '-subj', '/CN=rr-server', '-keyout', 'server-key.pem', '-out', 'server.pem');
  await openssl('req', ...signed, '-subj', '/CN=rr-client', '-keyout', 'key.pem', '-out', 'cert.pem');
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rr-endpoint-'));
  const { host } = await resolveEndpoint(process.env, homedir());
  expect(host).toMatch(/^unix:/);
  socket = host.slice('unix://'.length);
  engineId = await docker('info', '--format', '{{.ID}}');
});

afterAll(async () => {
  for (const one of sockets) one.destroy();
  for (const server of servers) server.close();
  await rm(folder, { recursive: true, force: true });
});

describe('the engine at an endpoint', () => {
  it('is the same one for the API and for the CLI: socket', async () => {
    const engine = await engineAt({ DOCKER_HOST: `unix://${socket}` });
    const facts = await engine.facts();
    expect(facts).toMatchObject({
      id: engineId,
      endpoint: `unix://${socket}`,
      version: await docker('version', '--format', '{{.Server.Version}}'),
      rootDirectory: await docker('info', '--format', '{{.DockerRootDir}}'),
      containerdStore: (await docker('info', '--format', '{{json .DriverStatus}}')).includes(
        'io.containerd.snapshotter',
      ),
    });
    expect(await idByCli({ DOCKER_HOST: `unix://${socket}` })).toBe(engineId);
  });

  it.each(['127.0.0.1', '::1'])('is the same one for the API and for the CLI: tcp at %s', async (address) => {
    const port = portOf(await listen(createServer(forward), 0, address));
    const environment = { DOCKER_HOST: `tcp://${address.includes(':') ? `[${address}]` : address}:${port}` };
    expect((await (await engineAt(environment)).facts()).id).toBe(engineId);
    expect(await idByCli(environment)).toBe(engineId);
  });

  it('is the same one for the API and for the CLI: TLS with certificates of both sides', async () => {
    await makeCertificates();
    const read = (name: string): Promise<Buffer> => readFile(join(folder, name));
    const [ca, cert, key] = await Promise.all(['ca.pem', 'server.pem', 'server-key.pem'].map(read));
    const options = { ca, cert, key, requestCert: true, rejectUnauthorized: true };
    const port = portOf(await listen(createTlsServer(options, forward), 0));
    const host = { DOCKER_HOST: `tcp://127.0.0.1:${port}` };

    const verified = { ...host, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: folder };
    expect((await (await engineAt(verified)).facts()).id).toBe(engineId);
    expect(await idByCli(verified)).toBe(engineId);

    const trusting = { ...host, DOCKER_TLS: '1', DOCKER_CERT_PATH: folder };
    expect((await (await engineAt(trusting)).facts()).id).toBe(engineId);
    expect(await idByCli(trusting)).toBe(engineId);

    await expect((await engineAt(host)).facts()).rejects.toMatchObject({ code: 'E_ENGINE_UNREACHABLE' });
  });
});

describe('what is no engine', () => {
  const unreachable = (message: RegExp, next: RegExp) => ({
    code: 'E_ENGINE_UNREACHABLE',
    message: expect.stringMatching(message) as string,
    next: expect.stringMatching(next) as string,
  });

  it('is told by what is in its place: nothing, a file, nobody listening', async () => {
    const none = await engineAt({ DOCKER_HOST: `unix://${folder}/none.sock` });
    await expect(none.facts()).rejects.toMatchObject(unreachable(/No Docker engine answers.*ENOENT/, /Start Docker/));
    const left = await listen(createServer(), 0);
    const port = portOf(left);
    left.close();
    const refused = await engineAt({ DOCKER_HOST: `tcp://127.0.0.1:${port}` });
    await expect(refused.facts()).rejects.toMatchObject(unreachable(/ECONNREFUSED/, /DOCKER_HOST/));
    await expect(refused.containers('rr-x')).rejects.toMatchObject(unreachable(/ECONNREFUSED/, /DOCKER_HOST/));
  });

  it('is told when something else answers', async () => {
    const port = portOf(
      await listen(
        createHttpServer((_request, response) => response.end('{"hello":1}')),
        0,
      ),
    );
    const engine = await engineAt({ DOCKER_HOST: `tcp://127.0.0.1:${port}` });
    await expect(engine.facts()).rejects.toMatchObject(unreachable(/is no Docker engine/, /DOCKER_HOST/));
  });

  it('is told when it hangs', async () => {
    const port = portOf(await listen(createServer(), 0));
    const engine = await engineAt({ DOCKER_HOST: `tcp://127.0.0.1:${port}` });
    await expect(engine.facts()).rejects.toMatchObject(unreachable(/takes connections and does not answer/, /busy/));
  });

  it('is told when it goes away in the middle', async () => {
    const server = await listen(createServer(forward), 0);
    const engine = await engineAt({ DOCKER_HOST: `tcp://127.0.0.1:${portOf(server)}` });
    const events = engine.events('rr-nobody', new AbortController().signal);
    await engine.facts();
    setTimeout(() => {
      for (const one of sockets) one.destroy();
    }, 100);
    const reading = (async () => {
      for await (const event of events) expect(event).toBeUndefined();
    })();
    await expect(reading).rejects.toMatchObject({ code: 'E_ENGINE_UNREACHABLE' });
  });

  it('is refused when it is too old, with what to do', async () => {
    // What Debian 12's own engine answers.
    const answer = JSON.stringify({ Version: '20.10.24+dfsg1', ApiVersion: '1.41', MinAPIVersion: '1.12' });
    const port = portOf(
      await listen(
        createHttpServer((_request, response) => response.end(answer)),
        0,
      ),
    );
    const engine = await engineAt({ DOCKER_HOST: `tcp://127.0.0.1:${port}` });
    await expect(engine.facts()).rejects.toMatchObject({
      code: 'E_ENGINE_TOO_OLD',
      message: expect.stringContaining('20.10.24') as string,
      next: expect.stringContaining('https://docs.docker.com/engine/install/') as string,
    });
  });

  it('is told when this user may not open its socket', async () => {
    const path = join(folder, 'closed.sock');
    await listen(createServer(forward), path);
    await chmod(path, 0o000);
    await chmod(folder, 0o755);
    const engine = await engineAt({ DOCKER_HOST: `unix://${path}` });
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) process.seteuid?.('nobody');
    try {
      await expect(engine.facts()).rejects.toMatchObject(unreachable(/EACCES/, /docker group/));
    } finally {
      if (isRoot) process.seteuid?.('root');
    }
  });
});
