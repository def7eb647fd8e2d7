import { dependencyOrder, looksStateful, type ComposeProject, type ServiceDefinition } from '../model/service.js';
import type { Viewing } from './session.js';
import { requireServices } from './open-project.js';

/**
 * The services a run treats, in order: those that were named, as named; else all of the project in dependency order,
 * without stateful ones (a database is replaced only when it is named) and without those of a profile that is not on.
 * @param startsAlso stateful services that are not left alone
 * @throws ProcedureError E_SERVICE for a name that the project does not have
 */
export function selectServices(
  viewing: Viewing,
  project: ComposeProject,
  startsAlso: ReadonlySet<string> = new Set(),
): readonly string[] {
  const { services } = viewing.request;
  if (services.length > 0) {
    requireServices(services, Object.keys(project.services));
    return services;
  }
  const { profiles } = viewing.opened.place;
  return dependencyOrder(project).filter((name) => {
    const service = project.services[name];
    if (service === undefined || !isOn(service, profiles)) return false;
    if (!looksStateful(service) || startsAlso.has(name)) return true;
    viewing.progress.info(`${name} keeps data in a volume and has no build: it is left alone unless it is named`);
    return false;
  });
}

/** @returns whether a service belongs to the project without being named */
export function isOn({ profiles }: Pick<ServiceDefinition, 'profiles'>, active: readonly string[]): boolean {
  return profiles.length === 0 || active.includes('*') || profiles.some((profile) => active.includes(profile));
}

/** As `selectServices`, and a stateful service of which there is no container yet: others of a first deploy need it. */
export async function servicesToDeploy(viewing: Viewing, project: ComposeProject): Promise<readonly string[]> {
  const there = new Set((await viewing.engine.containers(viewing.project)).map((container) => container.service));
  const missing = Object.keys(project.services).filter((name) => !there.has(name));
  return selectServices(viewing, project, new Set(missing));
}
