import { discoveredRouter } from './discovered-router.js';
import { policyOf } from './project-policy.js';
import { liveRelease, stoppedOnPurpose, type Release, type ReleaseId, type ServiceHistory } from './release.js';
import { isAlive, type ComposeProject, type ObservedContainer } from './service.js';

/**
 * What the end of a service means. `stays`: it serves, and every end is a failure. The other two are jobs: exit code 0 is
 * success. `ends`: another service waits for that end. `may-end`: nobody waits, and nothing in the file says that it
 * serves; it is a job or a worker. While it runs it is judged as any service, and when it has ended as a job.
 */
export type Lifetime = 'stays' | 'ends' | 'may-end';

/** @returns what the compose file says about the end of a service */
export function lifetimeOf(project: Pick<ComposeProject, 'services' | 'policy'>, service: string): Lifetime {
  const awaited = Object.values(project.services).some((other) =>
    other.dependsOn.some(
      (dependency) => dependency.service === service && dependency.condition === 'service_completed_successfully',
    ),
  );
  if (awaited) return 'ends';
  const definition = project.services[service];
  if (definition === undefined) return 'stays';
  const { router, readiness } = policyOf(project.policy, service);
  const serves =
    definition.restart !== 'no' ||
    definition.ports.length > 0 ||
    definition.healthCheck !== undefined ||
    readiness !== undefined ||
    (router ?? discoveredRouter(definition) ?? { kind: 'none' }).kind !== 'none';
  return serves ? 'stays' : 'may-end';
}

/** What is read of a container to judge its end. */
export type JobContainer = Pick<ObservedContainer, 'state' | 'exitCode' | 'finishedAt' | 'health' | 'healthCheck'>;

/** @returns whether a container did its work: one that was only created has not run */
function hasSucceeded(lifetime: Lifetime, { state, exitCode, healthCheck }: Omit<JobContainer, 'health'>): boolean {
  // A health check of the image says that it serves, which the compose file does not show.
  if (lifetime === 'stays' || (lifetime === 'may-end' && healthCheck !== undefined)) return false;
  return state === 'exited' && exitCode === 0;
}

/** @returns whether a container is as it should be, for anybody who looks at it */
export function isWell(lifetime: Lifetime, container: JobContainer): boolean {
  if (hasSucceeded(lifetime, container)) return true;
  return container.state === 'running' && container.health !== 'unhealthy';
}

/** @returns whether a container passed: one that others wait for has to end, and that has been waited for */
export function isProven(lifetime: Lifetime, container: JobContainer): boolean {
  return lifetime === 'ends' ? hasSucceeded(lifetime, container) : isWell(lifetime, container);
}

/** @returns whether all containers ended with exit code 0, and that is success */
export function allSucceeded(lifetime: Lifetime, containers: readonly Omit<JobContainer, 'health'>[]): boolean {
  return containers.length > 0 && containers.every((container) => hasSucceeded(lifetime, container));
}

/** What is there of a service, and what the ledger knows of it. */
export interface ServiceState {
  readonly containers: readonly Omit<JobContainer, 'health'>[];
  /** The release that is there. */
  readonly release: Release | undefined;
  readonly history: ServiceHistory;
}

/** `completed`: a job that has done its work. `none-wanted`: a service with zero replicas. */
export type Rest = 'completed' | 'none-wanted';

/**
 * The question before anything is started again: not after its work is done, whether its container still exists or not.
 * A container that ended because somebody stopped the service has not done its work.
 * @returns why nothing of the service runs, and nothing has to; undefined when something runs or should
 */
export function restOf(lifetime: Lifetime, { containers, release, history }: ServiceState): Rest | undefined {
  if (containers.length === 0) {
    if (release === undefined) return undefined;
    if (lifetime !== 'stays' && hasCompleted(history, release.id)) return 'completed';
    return release.replicas === 0 ? 'none-wanted' : undefined;
  }
  const stop = stoppedOnPurpose(history);
  const byItself =
    stop === undefined || containers.every(({ finishedAt }) => Date.parse(finishedAt) < Date.parse(stop.at));
  return byItself && allSucceeded(lifetime, containers) ? 'completed' : undefined;
}

/** @returns words for a message that starts with the name of the service */
export function restWords(rest: Rest): string {
  return rest === 'completed' ? 'is a job that has completed' : 'has zero replicas';
}

/** @returns whether the ledger says that the job of a release ended with exit code 0 */
export function hasCompleted({ events }: ServiceHistory, release: ReleaseId): boolean {
  return events.some((event) => event.kind === 'completed' && event.release === release);
}

/** @returns the live release of a service of which no container exists, where none has to; undefined otherwise */
export function releaseAtRest(history: ServiceHistory): Release | undefined {
  const live = liveRelease(history);
  if (live === undefined) return undefined;
  return live.replicas === 0 || hasCompleted(history, live.id) ? live : undefined;
}

/**
 * A rollback or an undo makes an earlier release live again. The job of that release is not run again: its changes stand,
 * or were replaced by those of the newer one.
 * @returns how many containers an earlier release gets when it comes back
 */
export function replicasBack(
  lifetime: Lifetime,
  release: Pick<Release, 'id' | 'replicas'>,
  history: ServiceHistory,
): number {
  const ran = lifetime === 'ends' || (lifetime === 'may-end' && hasCompleted(history, release.id));
  return ran ? 0 : release.replicas;
}

/** @returns why a job runs again; empty when it has completed, or runs now */
export function jobReasons(lifetime: Lifetime, state: ServiceState): readonly string[] {
  const { containers } = state;
  if (restOf(lifetime, state) !== undefined) return [];
  if (containers.length === 0) return ['it has not run'];
  const still = containers.find((container) => !isAlive(container));
  if (still === undefined) return [];
  if (still.state === 'created') return ['it was created, and has not run'];
  if (still.exitCode === 0) return ['it was stopped before its end'];
  return [`its last run ended with exit code ${still.exitCode}`];
}
