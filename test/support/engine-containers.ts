/** Containers, images and volumes for tests of the engine adapter, made with the Docker CLI: another way to the engine. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { homedir } from 'node:os';
import { promisify } from 'node:util';
import { resolveEndpoint } from '../../src/engine/endpoint.js';
import { createDockerEngine, type DockerEngine } from '../../src/engine/engine.js';

const run = promisify(execFile);

export const BASE_IMAGE = process.env['ROLLING_RESTART_TEST_BASE_IMAGE'] ?? 'rolling-restart-base:node';

/** @returns the standard output of `docker ARGS`, trimmed */
export async function docker(...args: readonly string[]): Promise<string> {
  const { stdout } = await run('docker', args, { maxBuffer: 16 * 1024 * 1024 });
  return stdout.trim();
}

/** The adapter under test, at the engine that the CLI talks to. */
export async function testEngine(debug: (line: string) => void = () => undefined): Promise<DockerEngine> {
  return createDockerEngine(await resolveEndpoint(process.env, homedir()), debug);
}

/** A name that nobody else has, and an end for everything that carries it. */
export interface Sandbox {
  /** Project name; whatever else is made gets a name that begins with it. */
  readonly name: string;
  /**
   * Starts a container labelled as Compose labels the project's.
   * @param options arguments of `docker run` before the image
   */
  start(
    options: readonly string[],
    command: readonly string[],
    labels?: Readonly<Record<string, string>>,
  ): Promise<string>;
  /** The same, created and not started. */
  create(
    options: readonly string[],
    command: readonly string[],
    labels?: Readonly<Record<string, string>>,
  ): Promise<string>;
  cleanup(): Promise<void>;
}

export function makeSandbox(): Sandbox {
  const name = `rr-${randomBytes(4).toString('hex')}`;
  const flags = (labels: Readonly<Record<string, string>>): string[] => {
    const all = {
      'com.docker.compose.project': name,
      'com.docker.compose.service': 'web',
      'com.docker.compose.container-number': '1',
      'com.docker.compose.oneoff': 'False',
      ...labels,
    };
    return Object.entries(all).flatMap(([key, value]) => ['--label', `${key}=${value}`]);
  };
  const offline = (options: readonly string[]): readonly string[] =>
    options.includes('--network') ? options : ['--network', 'none', ...options];
  const ids = async (...args: readonly string[]): Promise<string[]> =>
    (await docker(...args)).split('\n').filter((line) => line !== '');

  return {
    name,
    start: (options, command, labels = {}) =>
      docker('run', '--detach', ...flags(labels), ...offline(options), BASE_IMAGE, ...command),
    create: (options, command, labels = {}) =>
      docker('create', ...flags(labels), ...offline(options), BASE_IMAGE, ...command),

    async cleanup() {
      const containers = await ids('ps', '-aq', '--no-trunc', '--filter', `label=com.docker.compose.project=${name}`);
      if (containers.length > 0) await docker('rm', '--force', '--volumes', ...containers);
      const named = await ids('ps', '-aq', '--no-trunc', '--filter', `name=${name}`);
      if (named.length > 0) await docker('rm', '--force', ...named);
      const images = await ids('images', '--format', '{{.Repository}}:{{.Tag}}', '--filter', `reference=${name}/*`);
      if (images.length > 0) await docker('rmi', '--force', ...images);
      const volumes = await ids('volume', 'ls', '--quiet', '--filter', `name=${name}`);
      if (volumes.length > 0) await docker('volume', 'rm', '--force', ...volumes);
    },
  };
}

/** Waits for something to become so, and fails loudly when it does not. */
export async function until(what: string, holds: () => Promise<boolean>, timeoutMs = 15_000): Promise<void> {
  const endsAt = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > endsAt) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
