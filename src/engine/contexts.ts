import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ProcedureError } from '../model/errors.js';

/** What a Docker context says about its engine. */
export interface ContextEndpoint {
  readonly host: string;
  readonly skipTlsVerify: boolean;
  /** Folder with ca.pem, cert.pem and key.pem, each of which may be missing. */
  readonly tlsFolder: string;
}

/**
 * The name of the context in use, as the Docker CLI finds it: DOCKER_CONTEXT, else `currentContext` of config.json.
 * Undefined for the default one. DOCKER_HOST has to be looked at before: in the CLI's code it wins over DOCKER_CONTEXT.
 * @throws ProcedureError E_ENGINE_UNREACHABLE when config.json cannot be read
 */
export async function currentContext(
  environment: NodeJS.ProcessEnv,
  configFolder: string,
): Promise<string | undefined> {
  const named = environment['DOCKER_CONTEXT'] || (await configuredContext(configFolder));
  return named === '' || named === 'default' ? undefined : named;
}

/**
 * Reads a context from the CLI's store: `contexts/meta/<sha256 of its name>/meta.json`, TLS material beside it in
 * `contexts/tls/<the same>/docker` (docker/cli, cli/context/store).
 * @throws ProcedureError E_ENGINE_UNREACHABLE when there is no such context
 */
export async function readContext(configFolder: string, name: string): Promise<ContextEndpoint> {
  const id = createHash('sha256').update(name).digest('hex');
  const path = join(configFolder, 'contexts', 'meta', id, 'meta.json');
  const meta = await readJson(path);
  if (meta === undefined) {
    throw unusable(
      `There is no Docker context "${name}" in ${configFolder}`,
      'docker context ls shows which there are.',
    );
  }
  const docker = asObject(asObject(asObject(meta)['Endpoints'])['docker']);
  const host = docker['Host'];
  if (typeof host !== 'string' || host === '') {
    throw unusable(`The Docker context "${name}" names no engine`, 'Look at it with docker context inspect.');
  }
  return {
    host,
    skipTlsVerify: docker['SkipTLSVerify'] === true,
    tlsFolder: join(configFolder, 'contexts', 'tls', id, 'docker'),
  };
}

async function configuredContext(configFolder: string): Promise<string> {
  const context = asObject(await readJson(join(configFolder, 'config.json')))['currentContext'];
  return typeof context === 'string' ? context : '';
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as unknown;
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
    if (missing) return undefined;
    throw unusable(`${path} cannot be read: ${String(error)}`, 'Repair that file, or set DOCKER_HOST.', error);
  }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function unusable(message: string, next: string, cause?: unknown): ProcedureError {
  return new ProcedureError('E_ENGINE_UNREACHABLE', message, { next, cause });
}
