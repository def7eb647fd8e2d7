import type { OutcomeKind } from '../model/outcome.js';
import type { Session } from './session.js';

/**
 * After a rollback the branch still holds what was rolled back. It is not deployed again unasked, and the next merge brings
 * it along: a pull request that takes it out is opened, when there is a token for it.
 */
export async function offerRevert(session: Session, commit: string | undefined, outcome: OutcomeKind): Promise<void> {
  const { request, codeHost, recorder, progress, redactor } = session;
  if (outcome !== 'rolled-back' || request.revertToken === undefined || commit === undefined) return;
  const reason = recorder.services.find((service) => service.outcome === 'rolled-back')?.service ?? 'the service';
  const run = session.invocation.runUrl ?? session.invocation.runId;
  const said = `the release of ${commit.slice(0, 12)} was rolled back on ${session.invocation.host} (${reason}), by run ${run}.`;
  const pull = await codeHost.openRevert(commit, redactor.text(said));
  if (pull === undefined) return;
  progress.info(`↩ pull request #${pull.number} takes the change out again: ${pull.url}`);
  recorder.nextSteps.push(
    `The branch still has what was rolled back: correct it, or merge #${pull.number} (${pull.url}), which takes it out.`,
  );
}
