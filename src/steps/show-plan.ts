import { restOf } from '../model/job.js';
import { compensationOf, describeOperation } from '../operations/operation.js';
import type { Decision } from '../model/plan.js';
import type { Plan, ServicePlan } from '../operations/plan.js';
import type { Candidate } from './candidate.js';
import { withDependents } from './left-dependents.js';
import type { Viewing } from './session.js';

/** @returns the plan as lines for the log: what, why, how it is undone */
export function planLines(plan: Plan): readonly string[] {
  const lines = [`Plan of ${plan.procedure}:`];
  for (const service of plan.services) {
    lines.push(`  ${service.service} [${service.strategy}]: ${describeDecision(service.decision)}`);
    for (const line of service.diff ?? []) lines.push(`    ${line}`);
    for (const note of service.notes) lines.push(`    · ${note}`);
    service.operations.forEach((operation, index) => {
      const compensation = compensationOf(operation);
      const undo = compensation.kind === 'operation' ? ` — undo: ${describeOperation(compensation.operation)}` : '';
      lines.push(`    ${index + 1}. ${describeOperation(operation)}${undo}`);
    });
  }
  return lines;
}

/** @returns the decision in words */
export function describeDecision(decision: Decision): string {
  switch (decision.kind) {
    case 'unchanged':
      return 'unchanged, is left alone';
    case 'first-deploy':
      return 'first deploy, nothing runs yet';
    case 'change':
      return `changes: ${decision.reasons.join('; ')}`;
  }
}

/**
 * Keeps a plan for the report.
 * @param later services that this run changes as well, and that are not in the plan yet
 * @returns the plan with the services that ask to be restarted with a changed one, and are not
 */
export function keepPlan(viewing: Viewing, planned: Plan, later: readonly string[] = []): Plan {
  const plan = withDependents(viewing.opened.live, planned, later);
  viewing.recorder.plan = plan;
  return plan;
}

/** Keeps a plan for the report, and prints it. */
export function showPlan(viewing: Viewing, planned: Plan): void {
  for (const line of planLines(keepPlan(viewing, planned))) viewing.progress.info(line);
}

/**
 * Adds a service to the plan of the run when its turn comes, and prints its part.
 * @param all services that this run changes
 */
export function showNext(viewing: Viewing, procedure: string, next: ServicePlan, all: readonly string[]): void {
  const services = [...(viewing.recorder.plan?.services ?? []), next];
  const plan = keepPlan(viewing, { procedure, preparation: [], services }, all);
  for (const line of planLines({ ...plan, services: plan.services.slice(-1) })) viewing.progress.info(line);
}

/** Prints the plan of a dry run, keeps it for the report, and @returns its headline. */
export function describePreview(viewing: Viewing, plan: Plan): string {
  for (const operation of plan.preparation) viewing.progress.info(`  first: ${describeOperation(operation)}`);
  showPlan(viewing, plan);
  const changing = plan.services.filter((service) => service.decision.kind !== 'unchanged');
  const names = changing.map((service) => service.service).join(', ');
  return changing.length === 0
    ? 'dry run: nothing would change'
    : `dry run: ${plan.procedure} would change ${names}; nothing was changed`;
}

/** @returns whether nothing of an unchanged service is started again: its job has completed, or it has zero replicas */
export function isAtRest({ lifetime, replicas, current }: Candidate): boolean {
  return replicas === 0 || restOf(lifetime, current) !== undefined;
}

/** @returns the candidate as one that changes, for the reason given */
export function withRestart(candidate: Candidate, reason: string): Candidate {
  return { ...candidate, decision: { kind: 'change', reasons: [reason] } };
}
