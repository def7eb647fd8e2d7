import { changesService, startsContainers } from '../operations/operation.js';
import type { Plan } from '../operations/plan.js';
import { describeDependent, describeLeft, leftDependents, restartedWith } from '../model/restarted-with.js';
import type { ComposeProject } from '../model/service.js';
import type { Session, Viewing } from './session.js';
import { noSigns, raise } from './signs.js';

/**
 * @param project whose services ask
 * @param later services that this run changes as well, and that are not in the plan yet
 * @returns the plan, with the services that ask to be restarted with a changed one and are not
 */
export function withDependents(
  project: Pick<ComposeProject, 'services'>,
  plan: Plan,
  later: readonly string[] = [],
): Plan {
  const changed = plan.services.filter(({ operations }) => operations.some(startsContainers));
  const left = restartedWith(project, [...changed.map(({ service }) => service), ...later]);
  const notes = (service: string): readonly string[] =>
    left.filter(({ dependency }) => dependency === service).map(describeDependent);
  return {
    ...plan,
    services: plan.services.map((one) => ({ ...one, notes: [...new Set([...one.notes, ...notes(one.service)])] })),
  };
}

/** @returns services of the live project that run since before what they ask to be restarted with, one sentence each */
export async function lookAtDependents({ engine, project, opened }: Viewing): Promise<readonly string[]> {
  return leftDependents(opened.live, await engine.containers(project)).map(describeLeft);
}

/** Warns at the end of a run, by what the engine shows: whatever changed the other service, and however it ended. */
export async function warnOfDependents(session: Session): Promise<void> {
  const { engine, project, opened, begun, recorder } = session;
  if (!Object.values(opened.live.services).some(({ dependsOn }) => dependsOn.some(({ restart }) => restart))) return;
  const changed = new Set(
    begun.flatMap((operation) => (changesService(operation) && 'service' in operation ? [operation.service] : [])),
  );
  const left = leftDependents(opened.live, await engine.containers(project), changed);
  for (const one of left) {
    raise(session, noSigns(), { sign: 'note', severity: 'medium', service: one.service, message: describeLeft(one) });
    recorder.nextSteps.push(describeLeft(one));
  }
}
