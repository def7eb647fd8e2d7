import type { Operation } from '../operations/operation.js';
import type { ServicePlan } from '../operations/plan.js';
import { restOf, restWords } from '../model/job.js';
import { formatDuration } from '../model/units.js';
import { knownRestartMs } from '../model/release.js';
import { mendWay } from '../strategies/phases.js';
import type { Candidate } from './candidate.js';

/**
 * `docker compose down` as operations: what depends on others first. Volumes stay. Each service says which release it had,
 * so that a run that is killed here is finished by starting it again.
 * @param candidates in the order of their dependencies
 */
export function takeDown(project: string, candidates: readonly Candidate[]): readonly Operation[] {
  const operations: Operation[] = [...candidates].reverse().flatMap(({ service, current, lifetime }) => {
    const containers = current.containers.map(({ id }) => id);
    if (containers.length === 0) return [];
    // Its container is on a network that goes, and is removed. There is no release to start again.
    const done = restOf(lifetime, current) !== undefined;
    return [
      { kind: 'capture-evidence' as const, service, moment: 'before' as const },
      ...(done ? [] : [{ kind: 'stop-containers' as const, service, containers }]),
      { kind: 'remove-containers' as const, service, containers, release: done ? undefined : current.release?.id },
    ];
  });
  // An edge that does not run does not hold its network, and could not start without it.
  return [...candidates.flatMap(mendWay), ...operations, { kind: 'remove-networks', project }];
}

/** @returns the candidates as `takeDown` leaves them: what sends their requests is in order */
export function takenDown(candidates: readonly Candidate[]): readonly Candidate[] {
  return candidates.map((one) => ({ ...one, traffic: { ...one.traffic, repair: undefined, discard: undefined } }));
}

/** The plans with what the whole costs, said where a person reads first. */
export function withCost(plans: readonly ServicePlan[], candidates: readonly Candidate[]): readonly ServicePlan[] {
  const starting = candidates.filter(({ decision }) => decision.kind !== 'unchanged');
  const up = starting.map(({ service }) => service);
  const known = starting.map(({ current }) => knownRestartMs(current.history));
  const ms = known.every((one) => one !== undefined) ? known.reduce((sum, one) => sum + one, 0) : undefined;
  const measured =
    ms === undefined ? 'nobody has measured for how long' : `for about ${formatDuration(ms)}, as measured`;
  const resting = candidates.flatMap(({ service, decision, lifetime, current }) => {
    const rest = decision.kind === 'unchanged' ? restOf(lifetime, current) : undefined;
    return rest === undefined ? [] : [`${service} ${restWords(rest)}, and is not started.`];
  });
  const cost = [
    `Every service is down at once (${measured}): taken down in the order ${[...up].reverse().join(', ')}, started in the order ${up.join(', ')}.`,
    'Named volumes stay. Networks are removed and made again: addresses change. What only writable layers hold is lost.',
    ...resting,
  ];
  return plans.map((plan, index) => (index === 0 ? { ...plan, notes: [...cost, ...plan.notes] } : plan));
}
