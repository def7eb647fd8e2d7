/** A user's own proxy as a real process in a container, on a network that a test's project joins. */
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { docker } from './engine-containers.js';
import type { Project } from './project.js';

export interface ProxyOptions {
  readonly image: string;
  readonly command: readonly string[];
  /** Files in the container, by path. */
  readonly files: Readonly<Record<string, string>>;
  /** More arguments of `docker create`. */
  readonly options?: readonly string[];
}

export interface Proxy {
  readonly id: string;
  /** On the network. */
  readonly address: string;
  log(): Promise<string>;
}

/** The network that proxy and project share: it is there before either, as that of a proxy for several projects is. */
export interface ProxyBench {
  readonly network: string;
  start(options: ProxyOptions): Promise<Proxy>;
  cleanup(): Promise<void>;
}

/** How a compose file joins that network: its default one. */
export const SHARED_NETWORK = 'networks: { default: { name: "${COMPOSE_PROJECT_NAME}-web", external: true } }\n';

export async function makeProxyBench(project: Pick<Project, 'name'>): Promise<ProxyBench> {
  const network = `${project.name}-web`;
  const label = `rolling-restart.test=${project.name}`;
  await docker('network', 'create', network);
  const folder = await mkdtemp(join(tmpdir(), `${project.name}-proxy-`));
  return {
    network,
    async start({ image, command, files, options = [] }) {
      const id = await docker('create', '--network', network, '--label', label, ...options, image, ...command);
      for (const [path, content] of Object.entries(files)) {
        const file = join(folder, id.slice(0, 12), path);
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, content);
        await docker('cp', '--quiet', file, `${id}:${dirname(path)}/${basename(path)}`);
      }
      await docker('start', id);
      return {
        id,
        address: await docker('inspect', '--format', '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}', id),
        log: () => docker('logs', '--tail', '50', id),
      };
    },
    async cleanup() {
      const ids = (await docker('ps', '-aq', '--filter', `label=${label}`)).split('\n').filter((id) => id !== '');
      if (ids.length > 0) await docker('rm', '--force', '--volumes', ...ids);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** After the project is gone: a network that is in use stays. */
export async function removeNetwork({ network }: ProxyBench): Promise<void> {
  await docker('network', 'rm', network);
}
