import { ProcedureError } from '../model/errors.js';
import { formatDuration } from '../model/units.js';
import { reasonIn, type DockerCli } from './compose-cli.js';

/** Pulls with the CLI: it has the user's registry credentials and credential helpers. */
export async function pullImage(
  cli: DockerCli,
  options: {
    readonly reference: string;
    readonly onLine: (line: string) => void;
    readonly signal: AbortSignal;
    readonly timeoutMs: number;
  },
): Promise<void> {
  const { reference, ...call } = options;
  await cli.demand({
    ...call,
    args: ['pull', '--', requireReference(reference)],
    title: `docker pull ${reference}`,
    code: 'E_PULL',
    next: 'Look whether the name is right and this user is logged in (docker login). Nothing that runs was touched.',
  });
}

/**
 * Asks the registry for the manifest of an image. Registries on this host speak plain HTTP, as the engine allows for
 * 127.0.0.0/8 without being told. For others that the engine was told to take as insecure the CLI cannot know, so that
 * alone is no problem here: the pull itself shows.
 * @returns what is wrong, or undefined
 */
export async function registryProblem(
  cli: DockerCli,
  reference: string,
  timeoutMs: number,
): Promise<string | undefined> {
  const insecure = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?\//.test(reference) ? ['--insecure'] : [];
  try {
    const result = await cli.run({
      args: ['manifest', 'inspect', ...insecure, '--', requireReference(reference)],
      timeoutMs,
      title: 'docker manifest inspect',
    });
    if (result.exitCode === 0 || /HTTP response to HTTPS client/.test(result.stderr)) return undefined;
    return `the registry does not give ${reference}: ${reasonIn(result.stderr)}`;
  } catch (error) {
    if (!(error instanceof ProcedureError) || error.code !== 'E_DEADLINE') throw error;
    return `the registry of ${reference} did not answer within ${formatDuration(timeoutMs)}`;
  }
}

function requireReference(reference: string): string {
  if (/^[\w[]\S*$/.test(reference)) return reference;
  throw new ProcedureError('E_PULL', `"${reference}" is not the name of an image`, {
    next: 'Write it like registry.example.com/team/app:1.2.3. Nothing was changed.',
  });
}
