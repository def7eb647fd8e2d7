import { ProcedureError } from '../model/errors.js';
import type { ObservedContainer } from '../model/service.js';
import type { CommandResult } from '../model/ports/host.js';
import type { Run } from '../run/run.js';

/**
 * What a user's command gets to know, so that a check reaches the container that is meant and not whatever answers
 * behind a port.
 */
export function commandEnvironment(
  project: string,
  service: string,
  release: string | undefined,
  container: ObservedContainer | undefined,
): Readonly<Record<string, string>> {
  const url = container === undefined ? undefined : urlOf(container);
  return {
    ROLLING_RESTART_PROJECT: project,
    ROLLING_RESTART_SERVICE: service,
    ...(release === undefined ? {} : { ROLLING_RESTART_RELEASE: release }),
    ...(container === undefined ? {} : { ROLLING_RESTART_CONTAINER: container.id }),
    ...(url === undefined ? {} : { ROLLING_RESTART_URL: url }),
  };
}

/** @returns where the container answers: its first published port on this host, else its own address */
function urlOf(container: ObservedContainer): string | undefined {
  const [published] = container.hostPorts;
  if (published !== undefined) {
    const wildcard = published.ip === '' || published.ip === '0.0.0.0' || published.ip === '::';
    return `http://${wildcard ? '127.0.0.1' : published.ip}:${published.host}`;
  }
  const [address] = container.addresses;
  const [port] = container.exposedPorts;
  return address === undefined || port === undefined ? undefined : `http://${address}:${port}`;
}

/** Runs one of the user's commands on the host, its output in the log as it comes. */
export async function runOnHost(
  run: Run,
  options: {
    readonly name: string;
    readonly command: string;
    readonly directory: string;
    readonly environment: Readonly<Record<string, string>>;
  },
  signal: AbortSignal,
): Promise<CommandResult> {
  const now = run.progress.doing(options.name);
  return run.commands
    .run({
      ...options,
      timeoutMs: run.request.commandTimeoutMs,
      signal,
      onLine: (line) => run.progress.info(`  │ ${run.redactor.text(line)}`),
    })
    .finally(() => now.end());
}

/** Runs a command in a container, as `docker compose exec roma sh -c …` does. @returns its output, trimmed */
export async function runInContainer(run: Run, container: ObservedContainer, command: string): Promise<string> {
  const result = await run.engine.exec(container.id, ['sh', '-c', command], {
    timeoutMs: run.request.commandTimeoutMs,
  });
  const output = run.redactor.text(result.output.trim());
  if (result.exitCode === 0) return output;
  throw new ProcedureError('E_COMMAND', `"${command}" ended with exit code ${result.exitCode} in ${container.name}`, {
    next: 'Its output is shown with this error.',
    excerpt: [{ title: 'output', lines: output.split('\n').slice(-20) }],
  });
}
