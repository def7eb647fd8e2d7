import { failureOf, type ProcedureError } from '../model/errors.js';
import type { Operation } from '../operations/operation.js';
import { worstOutcome } from '../model/outcome.js';
import type { Candidate } from './candidate.js';
import { inOrder } from './data.js';
import { passLastGates } from './gates/index.js';
import { planService } from './plan-service.js';
import { afterFailure, rollOut, type RollOutResult } from './roll-out.js';
import { noteUnchanged, summarize, type RollOutAllResult } from './roll-out-all.js';
import { ServiceRun } from './service-run.js';
import type { Session } from './session.js';
import { releaseBefore } from './way-back.js';

/** Taking everything down has no way back but going on, also after a cancel. */
const DOWN_DEADLINE_MS = 15 * 60_000;

/**
 * Takes everything down and brings it up, one service after the other. Nobody watches one while others are down: the watch
 * comes last, of all of them at once. A service that fails goes back to its release of before, and the others go on.
 */
export async function bringUpAll(
  session: Session,
  { saving, down }: { readonly saving: readonly Operation[]; readonly down: readonly Operation[] },
  candidates: readonly Candidate[],
): Promise<RollOutAllResult> {
  const runs = new Map(candidates.map((candidate) => [candidate.service, new ServiceRun(session, candidate)]));
  await passLastGates(session, candidates);
  session.signal.throwIfAborted();
  const unsaved = saving.length === 0 ? undefined : await save(session, saving);
  if (unsaved !== undefined) return unsaved;
  const deadline = session.clock.deadline(DOWN_DEADLINE_MS);
  let failure: ProcedureError | undefined;
  await session.progress.group('Down', async () => {
    for (const operation of down) {
      try {
        const run = 'service' in operation ? runs.get(operation.service) : undefined;
        await (run ?? session).execute(operation, deadline);
      } catch (error) {
        failure = failureOf(error);
        session.progress.error(failure.message);
        break;
      }
    }
  });
  const results: RollOutResult[] = [];
  const unwatched = { ...session, request: { ...session.request, watchMs: 0 } };
  const starting = candidates.filter(({ decision }) => decision.kind !== 'unchanged');
  for (const candidate of candidates) {
    if (candidate.decision.kind === 'unchanged') {
      noteUnchanged(session, candidate);
      continue;
    }
    const service = runs.get(candidate.service) ?? new ServiceRun(session, candidate);
    results.push(
      await session.progress.group(`${candidate.service}: full-restart`, () =>
        rollOut(unwatched, candidate, { service, accountLater: true }),
      ),
    );
  }
  const watched = await session.progress.group('Watch', () => watchAll(session, starting, runs, results));
  const summary = summarize('full-restart', starting, watched);
  if (failure === undefined) return summary;
  const outcome = worstOutcome(['failed', summary.outcome]);
  return { ...summary, outcome, headline: `${failure.message}; ${summary.headline}`, error: failure };
}

/** @returns how it ended when a backup failed: with that nothing goes down */
async function save(session: Session, saving: readonly Operation[]): Promise<RollOutAllResult | undefined> {
  try {
    await session.progress.group('Backup', () =>
      inOrder(session, saving, (operation) => session.execute(operation, session.signal)),
    );
    return undefined;
  } catch (error) {
    const failure = failureOf(error);
    session.progress.error(failure.message);
    const outcome = failure.code === 'E_CANCELLED' ? 'cancelled' : 'failed';
    const headline = `nothing was taken down: ${failure.message}`;
    return { outcome, headline, error: failure, undoError: undefined, changed: false };
  }
}

/** All at once: each sign is of its own service, and leads to what `on-warning` says for that one. */
async function watchAll(
  session: Session,
  candidates: readonly Candidate[],
  runs: ReadonlyMap<string, ServiceRun>,
  results: readonly RollOutResult[],
): Promise<readonly RollOutResult[]> {
  const { watchMs } = session.request;
  const watched = await Promise.all(
    candidates.map(async (candidate, index): Promise<RollOutResult> => {
      const { service, release } = candidate;
      const result = results[index];
      const run = runs.get(service);
      if (result === undefined || run === undefined) throw new Error(`${service} was not brought up`);
      if (result.outcome !== 'deployed') return result;
      try {
        if (watchMs > 0) {
          await run.execute({ kind: 'watch', service, release: release.id, durationMs: watchMs }, session.signal);
        }
      } catch (error) {
        return afterFailure(session, run, candidate, planService(session, candidate), failureOf(error));
      }
      return result;
    }),
  );
  // One after the other: the report names the services in the order in which they were started.
  for (const [index, { service, release, current }] of candidates.entries()) {
    if (watched[index]?.outcome !== 'deployed') continue;
    runs.get(service)?.report('deployed', release, releaseBefore(current)?.id);
  }
  return watched;
}
