import type { Decision, ShownOperation, ShownPlan, ShownServicePlan } from '../model/plan.js';
import { formatDuration } from '../model/units.js';

/** The plan for the log and the terminal. */
export function renderPlanText(plan: ShownPlan): string {
  const lines = [`Plan of ${plan.procedure}`];
  if (plan.preparation.length > 0) {
    lines.push('', preparationTitle(plan), ...numbered(plan.preparation));
  }
  for (const service of plan.services) {
    lines.push('', `${service.service}: ${describeDecision(service.decision)}`);
    if (service.decision.kind === 'change')
      lines.push(...service.decision.reasons.map((reason) => `  because ${reason}`));
    lines.push(...(service.diff ?? []).map((line) => `  ${line}`));
    const means = describeMeans(service);
    if (means !== undefined) lines.push(`  ${means}`);
    lines.push(...numbered(service.operations));
    lines.push(...service.notes.map((note) => `  note: ${note}`));
  }
  if (plan.services.length === 0 && plan.preparation.length === 0) lines.push('', 'There is nothing to do.');
  return lines.join('\n');
}

/** @returns what the preparation does to what runs */
export function preparationTitle({ preparation }: ShownPlan): string {
  return preparation.some(({ changes }) => changes)
    ? 'First, for all services:'
    : 'First, without touching anything that runs:';
}

/** @returns what is going to happen to a service, without the reasons */
export function describeDecision(decision: Decision): string {
  switch (decision.kind) {
    case 'unchanged':
      return decision.release === undefined
        ? 'unchanged, nothing to do'
        : `unchanged, release ${decision.release} stays`;
    case 'first-deploy':
      return 'first deploy: nothing runs yet, and there is nothing to go back to';
    case 'change':
      return 'changes';
  }
}

/** @returns strategy and expected outage; undefined where nothing is replaced */
export function describeMeans(service: ShownServicePlan): string | undefined {
  if (service.operations.length === 0) return undefined;
  const outage =
    service.estimatedDowntimeMs === undefined
      ? ''
      : service.estimatedDowntimeMs === 0
        ? ', no outage expected'
        : `, expected outage ${formatDuration(service.estimatedDowntimeMs)}`;
  return `strategy ${service.strategy}${outage}`;
}

/** An undo is told where something would be undone; for the rest the log would say "only looks" ten times. */
function numbered(operations: readonly ShownOperation[]): readonly string[] {
  const width = String(operations.length).length;
  return operations.flatMap((operation, index) => {
    const line = `  ${String(index + 1).padStart(width)}. ${operation.text}`;
    if (operation.undo.kind === 'none') return [line];
    return [line, `  ${' '.repeat(width)}  undone by: ${operation.undo.text}`];
  });
}
