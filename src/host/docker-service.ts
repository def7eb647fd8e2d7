import { access } from 'node:fs/promises';
import type { DockerService } from '../model/ports/host.js';

/** Where the engine of a host listens that its service manager runs. */
const STANDARD_SOCKETS: ReadonlySet<string> = new Set(['unix:///var/run/docker.sock', 'unix:///run/docker.sock']);

/** How each service manager restarts it, and the file that says that it is there. */
const MANAGERS: readonly { readonly sign: string; readonly command: string }[] = [
  // sd_booted(3).
  { sign: '/run/systemd/system', command: 'systemctl restart docker' },
  { sign: '/etc/init.d/docker', command: 'service docker restart' },
];

/**
 * The engine's own service. Only the engine at the standard socket is the one that a service manager knows as `docker`.
 * @param given the command that a person gave
 * @param exists says whether there is such a file on this host
 */
export function createDockerService(
  endpoint: string,
  given: string | undefined,
  exists: (path: string) => Promise<boolean> = isThere,
): DockerService {
  return {
    async restartCommand() {
      if (given !== undefined) return given;
      if (!STANDARD_SOCKETS.has(endpoint)) return undefined;
      for (const { sign, command } of MANAGERS) if (await exists(sign)) return command;
      return undefined;
    },
  };
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
