import { composeArgs, composeInput, NOTHING_NEW, type DockerCli, type UpOptions } from './compose-cli.js';
import { replaceKeepingHash } from './compose-before-2.29.js';
import { renderDocument } from './compose-render.js';

/**
 * `up --detach --no-deps`: 0.4 to 0.7 s for a service whose process stops at once (measured, Compose 2.26.1).
 *
 * Up to 2.29.2 Compose hashes `depends_on:` along with the rest, and forgets about it with `--no-deps`: the container
 * gets another hash than a plain `docker compose up -d` computes, which then recreates it (compose#12069, fixed in
 * 2.29.3 by compose#12072; measured on 2.26.1). With these versions a service that depends on others goes another way.
 */
export async function up(cli: DockerCli, options: UpOptions, version: string): Promise<void> {
  if (options.hasDependencies && forgetsDependencies(version)) {
    return replaceKeepingHash(cli, options, await renderDocument(cli, options.target));
  }
  const { target, service, replicas, forceRecreate, onLine, signal, timeoutMs } = options;
  await cli.demand({
    args: [
      ...composeArgs(target),
      ...['up', '--detach', '--no-deps', ...NOTHING_NEW],
      ...(forceRecreate ? ['--force-recreate'] : []),
      ...(replicas === undefined ? [] : ['--scale', `${service}=${replicas}`]),
      service,
    ],
    directory: target.directory,
    input: composeInput(target),
    onLine,
    signal,
    timeoutMs,
    title: `docker compose up ${service}`,
    code: 'E_COMPOSE',
    next: 'Compose says below why; docker compose ps shows what is live.',
  });
}

/** @returns whether `--no-deps` gives a container another hash than plain `up` does: before 2.29.3 */
export function forgetsDependencies(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  return major < 2 || (major === 2 && (minor < 29 || (minor === 29 && patch < 3)));
}
