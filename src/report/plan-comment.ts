import type { PlanComment } from '../model/plan-comment.js';
import type { ShownPlan, ShownServicePlan } from '../model/plan.js';
import { block, code, folded, inline, link, table } from './markdown.js';
import { describeDecision, describeMeans } from './plan-text.js';
import { renderDiffs } from './summary-parts.js';

/** What merging would do to what runs, for the people who decide about it: short, with the details folded. */
export function renderPlanComment(comment: PlanComment): string {
  const { project, host, headline, plan, gone, policy, runUrl } = comment;
  const changing = (plan?.services ?? []).filter(({ decision }) => decision.kind !== 'unchanged');
  const parts = [`### What merging would do to ${code(project)} on ${code(host)}`, `**${inline(headline)}.**`];
  if (plan !== undefined && changing.length > 0) {
    const rows = changing.map((service) => [code(service.service), image(plan, service), inline(how(service))]);
    parts.push(table(['Service', 'Image', 'How'], rows));
    parts.push(changing.map(why).join('\n'));
  }
  for (const service of gone) {
    parts.push(`${code(service)} is no longer in the compose files; what runs of it is left alone.`);
  }
  const diffs = renderDiffs(plan);
  if (diffs !== undefined) parts.push(folded('What changes in the configuration', diffs));
  if (policy.length > 0) {
    parts.push(folded('What changes in x-rolling-restart, whose commands run on the host', block(policy, 'diff')));
  }
  const run = runUrl === undefined ? '' : ` ${link('The run', runUrl)} has the whole plan.`;
  parts.push(`Nothing of this pull request was executed, built or pulled for this.${run}`);
  return parts.join('\n\n');
}

function image({ preparation }: ShownPlan, { service }: ShownServicePlan): string {
  return preparation.some((one) => one.kind === 'build-image' && one.service === service)
    ? 'will be built'
    : 'stays, or is pulled';
}

function how(service: ShownServicePlan): string {
  return describeMeans(service) ?? describeDecision(service.decision);
}

function why({ service, decision }: ShownServicePlan): string {
  const reasons = decision.kind === 'change' ? decision.reasons : [describeDecision(decision)];
  return reasons.map((reason) => `- ${code(service)}: ${inline(reason)}`).join('\n');
}
