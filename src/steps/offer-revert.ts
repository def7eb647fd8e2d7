import type { Candidate } from './candidate.js';
import { isBefore } from './commit-order.js';
import type { Session } from './session.js';

/**
 * After a rollback the branch still holds what was rolled back. It is not deployed again unasked, and the next merge brings
 * it along: a pull request that takes it out is opened, when there is a token for it.
 */
export async function offerRevert(session: Session, candidates: readonly Candidate[]): Promise<void> {
  const { request, codeHost, progress, recorder, redactor } = session;
  if (request.revertToken === undefined) return;
  const left = await leftBehind(session, candidates);
  for (const commit of new Set(left.map((one) => one.commit))) {
    const services = left.filter((one) => one.commit === commit).map(({ service }) => service);
    const said = `the release of ${commit.slice(0, 12)} was rolled back ${where(session, services)}.`;
    const reverted = await codeHost.openRevert(commit, redactor.text(said));
    if (reverted.kind === 'opened') {
      const { number, url } = reverted.pull;
      progress.info(`↩ pull request #${number} takes the change out again: ${url}`);
      recorder.nextSteps.push(
        `The branch still has what was rolled back: correct it, or merge #${number} (${url}), which takes out what ${commit.slice(0, 12)} brought.`,
      );
    } else {
      const why = reverted.kind === 'none' ? 'No merged pull request brought it' : 'GitHub opened no pull request';
      recorder.nextSteps.push(
        `The branch still has what was rolled back (${commit.slice(0, 12)}). ${why}: correct it, or take it out with git revert.`,
      );
    }
  }
}

function where({ invocation }: Session, services: readonly string[]): string {
  return `on ${invocation.host} (${services.join(', ')}), by run ${invocation.runUrl ?? invocation.runId}`;
}

interface Left {
  readonly service: string;
  readonly commit: string;
}

/** The commits that were live, or were to be, and are not after this run, because it went back. */
async function leftBehind(session: Session, candidates: readonly Candidate[]): Promise<readonly Left[]> {
  const { recorder, request } = session;
  const left: Left[] = [];
  for (const { service, release, current } of candidates) {
    const outcome = recorder.services.find((one) => one.service === service)?.outcome;
    if (request.procedure !== 'rollback') {
      if (outcome === 'rolled-back' && release.commit !== undefined && release.commit !== current.release?.commit)
        left.push({ service, commit: release.commit });
      continue;
    }
    // Going back to a kept release can lead to a newer commit, too: nothing is to be taken out of the branch then.
    const before = current.release?.commit;
    if (outcome !== 'deployed' || before === undefined) continue;
    if (await isBefore(session, session.opened, release.commit, before)) left.push({ service, commit: before });
  }
  return left;
}
