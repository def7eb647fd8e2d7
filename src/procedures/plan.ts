import { shownPlan } from '../operations/plan.js';
import { asProcedureError } from '../model/errors.js';
import type { PlanComment } from '../model/plan-comment.js';
import { describeDecision, planLines } from '../steps/show-plan.js';
import { planCommit, type PlannedCommit } from '../steps/plan-commit.js';
import { describeOwner } from '../steps/project-owner.js';
import type { Viewing } from '../steps/session.js';
import { ended, type Procedure, type ProcedureResult } from './procedure.js';

/** On a pull request: what merging it would do to what runs. Only looks, and executes nothing of the commit. */
export const plan: Procedure = {
  name: 'plan',
  purpose:
    'Shows what deploying a commit that nobody has merged would do; renders it where it sees nothing of the host.',
  interrupts: false,

  async preview(viewing: Viewing): Promise<ProcedureResult> {
    await warnOfOwner(viewing);
    const planned = await planCommit(viewing).catch(async (error: unknown) => {
      // What stood there before is no longer true.
      const headline = `this commit cannot be planned: ${asProcedureError(error).message}`;
      await comment(viewing, { plan: undefined, gone: [], policy: [] }, headline);
      throw error;
    });
    viewing.recorder.plan = planned.plan;
    for (const line of [...planLines(planned.plan), ...planned.policy]) viewing.progress.info(line);
    for (const { service, decision } of planned.plan.services) {
      viewing.recorder.note(`${service}: ${describeDecision(decision)}`, service);
    }
    const headline = headlineOf(planned);
    await comment(
      viewing,
      { ...planned, plan: shownPlan(planned.plan, (text) => viewing.redactor.text(text)) },
      headline,
    );
    return ended('completed', headline);
  },

  perform: undefined,
};

/** Merging does not help while every deploy of this folder is refused, so the plan says it. */
async function warnOfOwner(viewing: Viewing): Promise<void> {
  const owner = await describeOwner(viewing);
  if (owner === undefined) return;
  viewing.progress.warning(owner);
  viewing.recorder.nextSteps.push(owner);
}

function headlineOf({ commit, policy, plan: { services } }: PlannedCommit): string {
  const changing = services.filter(({ decision }) => decision.kind !== 'unchanged').map(({ service }) => service);
  const what = changing.length === 0 ? 'would change nothing that runs' : `would change ${changing.join(', ')}`;
  const how = policy.length === 0 ? '' : ', and how it is changed from then on';
  return `deploying ${commit.slice(0, 12)} ${what}${how}`;
}

/** One comment for a project, brought up to date by each plan. */
async function comment(
  viewing: Viewing,
  { plan: found, gone, policy }: Pick<PlanComment, 'plan' | 'gone' | 'policy'>,
  headline: string,
): Promise<void> {
  const { codeHost, invocation, project, request, redactor, progress, recorder } = viewing;
  const number = /^refs\/pull\/(\d+)\//.exec(invocation.ref ?? '')?.[1];
  if (number === undefined || request.dryRun) return;
  const said = { plan: found, gone, policy, project, headline, host: invocation.host, runUrl: invocation.runUrl };
  const written = await codeHost.commentPlan(Number(number), said, (text) => redactor.text(text));
  if (written === undefined) return;
  const words = `${written.created ? 'written' : 'brought up to date'}: comment on #${number} (${written.url})`;
  progress.info(words);
  recorder.note(words);
}
