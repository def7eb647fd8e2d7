import { restOf } from '../model/job.js';
import { compensationOf, describeOperation } from '../operations/operation.js';
import type { Decision } from '../model/plan.js';
import type { Plan } from '../operations/plan.js';
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

/** Prints the plan of a dry run, keeps it for the report, and @returns its headline. */
export function describePreview(viewing: Viewing, planned: Plan): string {
  const plan = withDependents(viewing, planned);
  viewing.recorder.plan = plan;
  for (const operation of plan.preparation) viewing.progress.info(`  first: ${describeOperation(operation)}`);
  for (const line of planLines(plan)) viewing.progress.info(line);
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
