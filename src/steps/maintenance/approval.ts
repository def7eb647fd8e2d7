import { whoIsAsked } from '../../model/approval.js';
import type { Session } from '../session.js';

/**
 * Says who approves the work, for as long as there is time to change that: where the environment asks nobody, because it
 * has no such rule or the plan of a private repository has none, whoever starts the workflow approves it by that.
 */
export async function sayWhoApproves({ codeHost, request, recorder, progress, redactor }: Session): Promise<void> {
  const { environment } = request.deployment;
  if (environment === undefined) return;
  const words = redactor.text(whoIsAsked(await codeHost.approvalOf(environment)));
  progress.info(`approval of ${environment}: ${words}`);
  recorder.findings.push({ title: 'Approval', columns: ['Environment', 'Who is asked'], rows: [[environment, words]] });
}
