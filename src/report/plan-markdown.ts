import type { ShownOperation, ShownPlan, ShownServicePlan } from '../model/plan.js';
import { code, inline, table } from './markdown.js';
import { describeDecision, describeMeans, preparationTitle } from './plan-text.js';

/** The plan for the job summary. */
export function renderPlanMarkdown(plan: ShownPlan): string {
  const parts: string[] = [];
  if (plan.preparation.length > 0) {
    parts.push(`**${preparationTitle(plan).slice(0, -1)}**`, operations(plan.preparation));
  }
  for (const service of plan.services) parts.push(...renderService(service));
  return parts.length === 0 ? 'There is nothing to do.' : parts.join('\n\n');
}

function renderService(service: ShownServicePlan): readonly string[] {
  const parts = [`**${code(service.service)}: ${inline(describeDecision(service.decision))}**`];
  const facts: string[] = [];
  if (service.decision.kind === 'change')
    facts.push(...service.decision.reasons.map((reason) => `- ${inline(reason)}`));
  const means = describeMeans(service);
  if (means !== undefined) facts.push(`- ${inline(means)}`);
  facts.push(...service.notes.map((note) => `- ${inline(note)}`));
  if (facts.length > 0) parts.push(facts.join('\n'));
  if (service.operations.length > 0) parts.push(operations(service.operations));
  return parts;
}

function operations(list: readonly ShownOperation[]): string {
  return table(
    ['#', 'Operation', 'How it is undone'],
    list.map((operation, index) => [String(index + 1), inline(operation.text), inline(operation.undo.text)]),
  );
}
