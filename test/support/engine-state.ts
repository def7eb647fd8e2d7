/** What the engine has of a project, read with the Docker CLI: another way to the engine than the code under test. */
import { createHash } from 'node:crypto';
import { docker } from './engine-containers.js';
import type { Project } from './project.js';

/**
 * Everything on the engine that carries the project's name: containers with id, state, restarts and start, images by
 * name and id, volumes with their labels and networks. Two equal answers mean that nothing was changed between them.
 */
export async function engineState(project: Project): Promise<readonly string[]> {
  const lines = async (...args: readonly string[]): Promise<string[]> =>
    (await docker(...args)).split('\n').filter((line) => line.includes(project.name));
  const ids = (await lines('ps', '-a', '--no-trunc', '--format', '{{.ID}} {{.Names}} {{.Labels}}')).map(
    (line) => line.split(' ')[0] ?? '',
  );
  const format = '{{.Id}} {{.Name}} {{.State.Status}} {{.State.StartedAt}} {{.RestartCount}} {{.Image}}';
  const containers = ids.length === 0 ? [] : (await docker('inspect', '--format', format, ...ids)).split('\n');
  // The CLI writes labels in another order each time.
  const sorted = (line: string): string => line.replace(/\S+$/, (labels) => labels.split(',').sort().join(','));
  const others = await Promise.all([
    lines('images', '--no-trunc', '--format', 'image {{.Repository}}:{{.Tag}} {{.ID}}'),
    lines('volume', 'ls', '--format', 'volume {{.Name}} {{.Labels}}').then((volumes) => volumes.map(sorted)),
    lines('network', 'ls', '--no-trunc', '--format', 'network {{.ID}} {{.Name}}'),
  ]);
  return [...containers, ...others.flat()].sort();
}

/** @returns tags that our code keeps images of a service under */
export async function keptTags(project: Project, service: string): Promise<readonly string[]> {
  const repository = `rolling-restart/${project.name}-${service}`;
  const text = await docker('images', '--format', '{{.Repository}}:{{.Tag}}', '--filter', `reference=${repository}`);
  return text
    .split('\n')
    .filter((line) => line !== '')
    .sort();
}

/** @returns environment of the one container of a service, as the engine has it */
export async function environmentOf(project: Project, service: string): Promise<Readonly<Record<string, string>>> {
  const { Config } = await project.inspect(service);
  return Object.fromEntries(
    Config.Env.map((entry) => {
      const split = entry.indexOf('=');
      return [entry.slice(0, split), entry.slice(split + 1)];
    }),
  );
}

/** @returns HEAD, files that differ and worktrees: equal when the checkout has not moved. A fetch moves none of them. */
export async function checkoutState(project: Project): Promise<string> {
  const parts = await Promise.all([
    project.git('rev-parse', 'HEAD'),
    project.git('status', '--porcelain', '--ignored'),
    project.git('worktree', 'list'),
  ]);
  return `${parts[0]} ${createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 12)}`;
}
