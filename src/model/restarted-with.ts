import { isAlive, type ComposeProject, type ObservedContainer } from './service.js';

/**
 * `depends_on: NAME: restart: true`: a service that wants to be restarted when the other one changes, such as a proxy that
 * resolved its name once. Compose does so when it changes both; a change of one service leaves the other as it is.
 */

export interface LeftDependent {
  readonly service: string;
  /** What it depends on, which was changed. */
  readonly dependency: string;
}

/** @returns the services that ask to be restarted with one of these, and are none of these */
export function restartedWith(
  project: Pick<ComposeProject, 'services'>,
  changed: readonly string[],
): readonly LeftDependent[] {
  return asking(project).filter(
    ({ service, dependency }) => changed.includes(dependency) && !changed.includes(service),
  );
}

type Lived = Pick<ObservedContainer, 'service' | 'state' | 'createdAt' | 'startedAt'>;

/**
 * @param containers of the whole project
 * @param restarted services whose containers may be the same and were started again
 * @returns the services that run since before the containers of what they ask to be restarted with
 */
export function leftDependents(
  project: Pick<ComposeProject, 'services'>,
  containers: readonly Lived[],
  restarted: ReadonlySet<string> = new Set(),
): readonly LeftDependent[] {
  const of = (service: string): readonly Lived[] => containers.filter((one) => one.service === service && isAlive(one));
  return asking(project).filter(({ service, dependency }) => {
    const since = of(service).map(({ startedAt }) => Date.parse(startedAt));
    const made = of(dependency).map((one) => Date.parse(restarted.has(dependency) ? one.startedAt : one.createdAt));
    return since.length > 0 && made.length > 0 && Math.min(...since) < Math.max(...made);
  });
}

function asking(project: Pick<ComposeProject, 'services'>): readonly LeftDependent[] {
  return Object.values(project.services).flatMap(({ name, dependsOn }) =>
    dependsOn.flatMap(({ service, restart }) => (restart ? [{ service: name, dependency: service }] : [])),
  );
}

/** @returns what a plan says beforehand */
export function describeDependent({ service, dependency }: LeftDependent): string {
  return `${service} asks to be restarted with ${dependency}, and is not. Afterwards run: docker compose restart ${service}`;
}

/** @returns what a report says afterwards */
export function describeLeft({ service, dependency }: LeftDependent): string {
  return `${service} was not restarted with ${dependency}, as depends_on asks. Run: docker compose restart ${service}`;
}
