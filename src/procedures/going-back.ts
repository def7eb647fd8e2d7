import { isAccepted, liveRelease } from '../model/release.js';
import type { Run } from '../run/run.js';
import { isBefore } from '../steps/commit-order.js';
import type { OpenProject } from '../steps/session.js';

/**
 * A deploy of what is older than what runs is a rollback, whatever attempt of a workflow it is: with `allow-downgrade` it is
 * carried out and reported as one, from the kept image where there is one.
 * @returns the run as it is meant
 */
export async function asMeant(run: Run, opened: OpenProject): Promise<Run> {
  const { request, invocation, source, progress } = run;
  const ref = request.ref ?? invocation.sha;
  if (request.procedure !== 'code-update' || !request.allowDowngrade || ref === undefined) return run;
  if (opened.checkout === undefined) return run;
  // What was live once is here without the network.
  const commit = await source.resolve(opened.checkout.topLevel, ref);
  if (commit === undefined || commit === opened.checkout.commit) return run;
  const live = opened.checkout.commit;
  const older = await isBefore(run, opened, commit, live);
  if (!older && ((await isBefore(run, opened, live, commit)) || !(await wasLive(run, opened, commit)))) return run;
  progress.info(`commit ${commit.slice(0, 12)} is older than what is live: this is a rollback to it`);
  const { image } = request;
  const rollbackTo =
    image === undefined ? ({ kind: 'git', ref: commit } as const) : ({ kind: 'image', reference: image } as const);
  return { ...run, request: { ...request, procedure: 'rollback', rollbackTo, ref: undefined, image: undefined } };
}

/** Histories need not be a line: what the ledger has had live counts as well. */
async function wasLive(run: Run, opened: OpenProject, commit: string): Promise<boolean> {
  const { ledger } = run.records(opened.live.name);
  const services = run.request.services.length > 0 ? run.request.services : Object.keys(opened.live.services);
  for (const service of services) {
    const history = await ledger.history(service);
    const live = liveRelease(history);
    if (live?.commit === commit) continue;
    if (history.releases.some(({ id, commit: known }) => known === commit && isAccepted(history, id))) return true;
  }
  return false;
}
