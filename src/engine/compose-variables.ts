import type { ComposeTarget } from '../model/ports/engine.js';
import { composeArgs, type DockerCli } from './compose-cli.js';

/**
 * Has Compose say the values of variables: it knows which env files count and how they are read. It substitutes them in a document
 * that never becomes a container.
 * @returns every name with its value; '' for one that is not set. Secrets.
 * @throws ProcedureError E_COMPOSE_FILE when an env file is not valid
 */
export async function variablesOf(
  cli: Pick<DockerCli, 'demand'>,
  target: ComposeTarget,
  names: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  if (names.length === 0) return {};
  const labels = Object.fromEntries(names.map((name) => [name, `\${${name}-}`]));
  const text = await cli.demand({
    args: [
      ...composeArgs({ ...target, files: ['-'], projectName: 'variables', relocate: undefined }),
      ...['config', '--format', 'json'],
    ],
    directory: target.directory,
    input: JSON.stringify({ services: { variables: { image: 'none', labels } } }),
    title: `docker compose config (${names.join(', ')})`,
    code: 'E_COMPOSE_FILE',
    next: 'Correct the env file that Compose names. Nothing was changed.',
    outputLimit: Infinity,
  });
  const answer = JSON.parse(text) as { services: { variables: { labels: Record<string, string> } } };
  // Compose prints a `$` as `$$`, so that its output can be read again.
  return Object.fromEntries(
    Object.entries(answer.services.variables.labels).map(([name, value]) => [name, value.replaceAll('$$', '$')]),
  );
}
