import { ProcedureError } from '../model/errors.js';
import { checksOf, environmentProblems } from '../model/environment-check.js';
import type { ObservedContainer } from '../model/service.js';
import type { Viewing } from './session.js';

const EXEC_MS = 15_000;

/**
 * The runbook's `docker compose exec roma env | grep NAME`: looks at what a process in each container gets.
 * @param wanted what the wanted definition gives the service; empty where it is not known
 * @returns what was found, in words and without values
 * @throws ProcedureError E_VERIFICATION naming every variable that is not as asked for
 */
export async function checkEnvironment(
  viewing: Viewing,
  service: string,
  containers: readonly ObservedContainer[],
  wanted: Readonly<Record<string, string | null>>,
): Promise<string> {
  const checks = checksOf(viewing.request.verifyEnv, service);
  if (checks.length === 0) return `none asked for ${service}`;
  let how = 'inside the container';
  for (const container of containers) {
    const read = await variablesIn(viewing, container);
    if (read.from === 'definition') how = 'by its definition, since it has no `env`';
    const problems = environmentProblems(checks, read.variables, wanted);
    if (problems.length === 0) continue;
    throw new ProcedureError('E_VERIFICATION', `${container.name}: ${problems.join(', ')}`, {
      next: 'Look at verify-env and at what the compose files and env files give the service (docker compose config).',
    });
  }
  return `${checks.map(({ name }) => name).join(', ')} as asked for, ${how}`;
}

interface Variables {
  readonly variables: Readonly<Record<string, string>>;
  readonly from: 'process' | 'definition';
}

/** Values may have line ends, so they are asked for with NUL between them; an image without `env` cannot be asked. */
async function variablesIn(viewing: Viewing, container: ObservedContainer): Promise<Variables> {
  const { engine, signal } = viewing;
  const asked = await engine
    .exec(container.id, ['env', '-0'], { timeoutMs: EXEC_MS, signal })
    .catch((error: unknown) => {
      signal.throwIfAborted();
      viewing.progress.debug(`env in ${container.name}: ${String(error)}`);
      return undefined;
    });
  const entries = asked?.exitCode === 0 ? asked.output.split('\0') : undefined;
  return {
    from: entries === undefined ? 'definition' : 'process',
    variables: Object.fromEntries(
      (entries ?? container.environment).flatMap((entry) => {
        const split = entry.indexOf('=');
        return split < 1 ? [] : [[entry.slice(0, split), entry.slice(split + 1)] as const];
      }),
    ),
  };
}
