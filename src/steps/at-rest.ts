import { lifetimeOf, restOf, restWords } from '../model/job.js';
import { observe } from './observe.js';
import type { Viewing } from './session.js';

/**
 * A restart does not run a job again that has completed, and starts nothing of a service with zero replicas.
 * @returns the services that are left
 */
export async function withoutResting(viewing: Viewing, services: readonly string[]): Promise<readonly string[]> {
  const left: string[] = [];
  for (const service of services) {
    const current = await observe(viewing.engine, viewing, viewing.project, service);
    const rest = restOf(lifetimeOf(viewing.opened.live, service), current);
    if (rest === undefined) left.push(service);
    else viewing.progress.info(`${service} ${restWords(rest)}: it is not started again`);
  }
  return left;
}

/** @returns the headline when nothing is left */
export function nothingToRestart(services: readonly string[]): string {
  return `${services.join(', ')}: jobs and services with zero replicas are not restarted`;
}
