import { readFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { isAbsolute, join } from 'node:path';
import type { DockerOptions } from 'dockerode';
import { ProcedureError } from '../model/errors.js';
import { currentContext, readContext } from './contexts.js';

/** The one engine of a run: the API client and the Docker CLI are given the same. */
export interface Endpoint {
  /** As in DOCKER_HOST. */
  readonly host: string;
  /** Where it was found, for a person: `DOCKER_HOST`, `context NAME`, `default`. */
  readonly origin: string;
  /** What a child process needs in its environment to talk to the same engine; an empty value takes a variable away. */
  readonly cliEnvironment: Readonly<Record<string, string>>;
  readonly dockerOptions: DockerOptions;
}

const DEFAULT_HOST = 'unix:///var/run/docker.sock';

/**
 * Finds the engine as the Docker CLI does: DOCKER_HOST, else the context in use, else the default socket.
 * @param home the user's home folder, for `~/.docker`
 * @throws ProcedureError E_ENGINE_UNREACHABLE for a context that does not exist, certificates that cannot be read, and
 *   kinds of endpoint that are not supported
 */
export async function resolveEndpoint(environment: NodeJS.ProcessEnv, home: string): Promise<Endpoint> {
  const configFolder = environment['DOCKER_CONFIG'] || join(home, '.docker');
  const fromEnvironment = environment['DOCKER_HOST']?.trim();
  if (fromEnvironment) return fromHost(fromEnvironment, 'DOCKER_HOST', environmentTls(environment, configFolder));
  const context = await currentContext(environment, configFolder);
  if (context === undefined) return fromHost(DEFAULT_HOST, 'default', undefined);
  const found = await readContext(configFolder, context);
  const material = await readMaterial(found.tlsFolder);
  const tls = material === undefined && !found.skipTlsVerify ? undefined : contextTls(found);
  return fromHost(found.host, `context ${context}`, tls);
}

/** How to speak TLS; without it the connection is plain. */
interface Tls {
  readonly folder: string;
  readonly verify: boolean;
}

/** DOCKER_TLS speaks TLS without looking at the server's certificate, DOCKER_TLS_VERIFY looks; any value counts. */
function environmentTls(environment: NodeJS.ProcessEnv, configFolder: string): Tls | undefined {
  const verify = Boolean(environment['DOCKER_TLS_VERIFY']);
  if (!verify && !environment['DOCKER_TLS']) return undefined;
  return { folder: environment['DOCKER_CERT_PATH'] || configFolder, verify };
}

function contextTls(context: { readonly tlsFolder: string; readonly skipTlsVerify: boolean }): Tls {
  return { folder: context.tlsFolder, verify: !context.skipTlsVerify };
}

async function fromHost(written: string, origin: string, tls: Tls | undefined): Promise<Endpoint> {
  const scheme = /^([a-z]+):\/\//.exec(written)?.[1];
  switch (scheme) {
    case 'unix':
      return unixEndpoint(written.slice('unix://'.length), origin);
    case 'tcp':
    case undefined:
      return tcpEndpoint(scheme === undefined ? `tcp://${written}` : written, origin, tls);
    case 'ssh':
      throw unsupported(
        `${origin} names an engine over ssh (${written}), which is not supported`,
        'Run on the host of the engine, or open its socket here (ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock HOST) and set DOCKER_HOST=unix:///tmp/docker.sock.',
      );
    case 'npipe':
      throw unsupported(
        `${origin} names a Windows pipe (${written}), which is not supported`,
        'Run on Linux or inside WSL, where the engine has a unix socket.',
      );
    default:
      throw unsupported(
        `${origin} names an engine in a way that is not supported: ${written}`,
        'Use unix:///path/to/docker.sock or tcp://host:port.',
      );
  }
}

function unixEndpoint(written: string, origin: string): Endpoint {
  const path = written === '' ? DEFAULT_HOST.slice('unix://'.length) : written;
  if (!isAbsolute(path)) {
    throw unsupported(`${origin} names a socket by a relative path: ${path}`, 'Write it as unix:///absolute/path.');
  }
  const host = `unix://${path}`;
  return {
    host,
    origin,
    cliEnvironment: cliEnvironment(host, undefined),
    // A connection per call costs nothing on a socket, and a kept one is stale after the engine has restarted.
    dockerOptions: { ...NOTHING_FROM_ENVIRONMENT, socketPath: path, headers: { Connection: 'close' } },
  };
}

async function tcpEndpoint(written: string, origin: string, tls: Tls | undefined): Promise<Endpoint> {
  const url = parseTcp(written, origin);
  const port = url.port === '' ? (tls === undefined ? 2375 : 2376) : Number(url.port);
  const host = `tcp://${url.hostname}:${port}`;
  const plain: DockerOptions = {
    ...NOTHING_FROM_ENVIRONMENT,
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port,
    protocol: 'http',
  };
  if (tls === undefined) {
    return { host, origin, cliEnvironment: cliEnvironment(host, undefined), dockerOptions: plain };
  }
  const material = await readMaterial(tls.folder);
  if (material?.ca === undefined && tls.verify) {
    throw unsupported(
      `There is no ca.pem in ${tls.folder}, to verify ${host} with`,
      'Set DOCKER_CERT_PATH to its folder.',
    );
  }
  return {
    host,
    origin,
    cliEnvironment: cliEnvironment(host, tls),
    dockerOptions: {
      ...plain,
      ...material,
      protocol: 'https',
      ...(tls.verify ? {} : { agent: new Agent({ rejectUnauthorized: false }) }),
    },
  };
}

function parseTcp(written: string, origin: string): URL {
  let url: URL;
  try {
    url = new URL(written);
  } catch (error) {
    throw unsupported(`${origin} is not an address: ${written}`, 'Write it as tcp://host:port.', error);
  }
  const more = url.username !== '' || url.search !== '' || !(url.pathname === '' || url.pathname === '/');
  if (url.hostname === '' || more)
    throw unsupported(`${origin} is not an address: ${written}`, 'Write it as tcp://host:port.');
  return url;
}

interface Material {
  readonly ca: Buffer | undefined;
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
}

/** Undefined when the folder has none of the three files. */
async function readMaterial(folder: string): Promise<Material | undefined> {
  const read = async (name: string): Promise<Buffer | undefined> => {
    try {
      return await readFile(join(folder, name));
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw unsupported(`${join(folder, name)} cannot be read`, 'Give this user the right to read it.', error);
    }
  };
  const [ca, cert, key] = await Promise.all([read('ca.pem'), read('cert.pem'), read('key.pem')]);
  return ca === undefined && cert === undefined && key === undefined ? undefined : { ca, cert, key };
}

/** docker-modem takes whatever is not given from DOCKER_HOST and its relatives, also when `undefined` would do. */
const NOTHING_FROM_ENVIRONMENT: DockerOptions = {
  socketPath: undefined,
  host: undefined,
  port: undefined,
  ca: undefined,
  cert: undefined,
  key: undefined,
  timeout: undefined,
};

/** The CLI takes an empty variable for one that is not set (docker/cli, cli/command/cli.go). */
function cliEnvironment(host: string, tls: Tls | undefined): Readonly<Record<string, string>> {
  return {
    DOCKER_HOST: host,
    DOCKER_CONTEXT: '',
    DOCKER_TLS: tls === undefined ? '' : '1',
    DOCKER_TLS_VERIFY: tls?.verify === true ? '1' : '',
    DOCKER_CERT_PATH: tls?.folder ?? '',
  };
}

function unsupported(message: string, next: string, cause?: unknown): ProcedureError {
  return new ProcedureError('E_ENGINE_UNREACHABLE', message, { next, cause });
}
