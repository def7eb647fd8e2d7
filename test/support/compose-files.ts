import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { ComposeTarget } from '../../src/model/ports/engine.js';

const execute = promisify(execFile);

/** A compose project in a temporary directory, for tests of the Compose adapter itself. */
export interface ComposeFiles {
  readonly name: string;
  readonly directory: string;
  readonly target: ComposeTarget;
  write(files: Readonly<Record<string, string>>): Promise<void>;
  /** What a person types in the directory. @returns stdout and stderr together */
  compose(...args: readonly string[]): Promise<string>;
  /** `service id hash` of each container, sorted. */
  containers(): Promise<readonly { readonly service: string; readonly id: string; readonly hash: string }[]>;
  cleanup(): Promise<void>;
}

export const BASE_IMAGE = process.env['ROLLING_RESTART_TEST_BASE_IMAGE'] ?? 'rolling-restart-base:node';

/** The environment without what would name another project. */
export const environment: NodeJS.ProcessEnv = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith('COMPOSE_')),
);

export async function docker(...args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await execute('docker', args, { env: environment, maxBuffer: 64 * 1024 * 1024 });
  return `${stdout}${stderr}`;
}

export async function makeComposeFiles(files: Readonly<Record<string, string>>): Promise<ComposeFiles> {
  const name = `rr-c${randomBytes(4).toString('hex')}`;
  const directory = await mkdtemp(join(tmpdir(), `${name}-`));
  const write: ComposeFiles['write'] = async (contents) => {
    for (const [path, content] of Object.entries(contents)) {
      await mkdir(dirname(join(directory, path)), { recursive: true });
      await writeFile(join(directory, path), content);
    }
  };
  await write({ '.env': `COMPOSE_PROJECT_NAME=${name}\n`, ...files });
  const compose: ComposeFiles['compose'] = async (...args) => {
    const all = ['compose', '--ansi', 'never', '--progress', 'plain', ...args];
    const { stdout, stderr } = await execute('docker', all, { cwd: directory, env: environment });
    return `${stdout}${stderr}`;
  };
  return {
    name,
    directory,
    target: { files: [], directory, projectName: undefined, envFiles: [] },
    write,
    compose,
    async containers() {
      const label = (key: string): string => `{{.Label "com.docker.compose.${key}"}}`;
      const format = [label('service'), '{{.ID}}', label('config-hash')].join(' ');
      const filter = `label=com.docker.compose.project=${name}`;
      const text = await docker('ps', '--all', '--no-trunc', '--filter', filter, '--format', format);
      return text
        .split('\n')
        .filter((line) => line !== '')
        .sort()
        .map((line) => {
          const [service = '', id = '', hash = ''] = line.split(' ');
          return { service, id, hash };
        });
    },
    async cleanup() {
      // By label, for the compose file may be what the test broke.
      const filter = ['--filter', `label=com.docker.compose.project=${name}`];
      const ids = async (...list: readonly string[]): Promise<readonly string[]> =>
        (await docker(...list, ...filter)).split('\n').filter((line) => line !== '');
      const containers = await ids('ps', '--all', '--quiet');
      if (containers.length > 0) await docker('rm', '--force', '--volumes', ...containers);
      const networks = await ids('network', 'ls', '--quiet');
      if (networks.length > 0) await docker('network', 'rm', ...networks);
      const volumes = await ids('volume', 'ls', '--quiet');
      if (volumes.length > 0) await docker('volume', 'rm', ...volumes);
      const images = await ids('images', '--quiet', '--no-trunc');
      if (images.length > 0) await docker('rmi', '--force', ...new Set(images));
      await rm(directory, { recursive: true, force: true });
    },
  };
}
