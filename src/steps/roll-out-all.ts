import { restOf, restWords } from '../model/job.js';
import { worstOutcome } from '../model/outcome.js';
import type { OutcomeKind } from '../model/outcome.js';
import type { ProcedureError } from '../model/errors.js';
import type { Candidate } from './candidate.js';
import { passLastGates } from './gates/index.js';
import { planAll } from './plan-all.js';
import { pullRequestsOf } from './pull-requests.js';
import { showPlan } from './show-plan.js';
import { rollOut, type RollOutResult } from './roll-out.js';
import type { Session } from './session.js';

export interface RollOutAllResult {
  readonly outcome: OutcomeKind;
  readonly headline: string;
  readonly error: ProcedureError | undefined;
  readonly undoError: ProcedureError | undefined;
  readonly changed: boolean;
}

/**
 * One service at a time, each verified and watched before the next. At the first failure that one is undone, earlier
 * ones stay and are reported, later ones are not begun.
 */
export async function rollOutAll(
  session: Session,
  procedure: string,
  wanted: readonly Candidate[],
): Promise<RollOutAllResult> {
  const { plan, candidates, clearing } = await planAll(session, wanted, {
    procedure,
    preparation: session.begun,
    liveCommit: session.liveCommit.value,
    looking: false,
  });
  showPlan(session, plan);
  session.recorder.rollbackReleasePresent = candidates.every(
    (candidate) => candidate.decision.kind === 'unchanged' || candidate.current.release !== undefined,
  );
  const changing = candidates.filter(({ decision }) => decision.kind !== 'unchanged');
  if (changing.length > 0) await passLastGates(session, changing);
  for (const operation of clearing) await session.execute(operation, session.signal);
  const asked = pullRequestsOf(session, changing);
  try {
    return summarize(procedure, candidates, await oneByOne(session, procedure, candidates));
  } finally {
    session.recorder.pullRequests = await asked;
  }
}

async function oneByOne(
  session: Session,
  procedure: string,
  candidates: readonly Candidate[],
): Promise<readonly RollOutResult[]> {
  const results: RollOutResult[] = [];
  for (const candidate of candidates) {
    if (candidate.decision.kind === 'unchanged') {
      noteUnchanged(session, candidate);
      continue;
    }
    const result = await session.progress.group(`${candidate.service}: ${procedure}`, () =>
      rollOut(session, candidate),
    );
    results.push(result);
    if (result.outcome !== 'deployed') break;
  }
  return results;
}

/** What a procedure did to a service, where `deployed` is not the word a person would use. */
const DONE: Readonly<Record<string, string>> = {
  rollback: 'brought back',
  maintenance: 'maintained',
  'full-restart': 'restarted',
};

export function noteUnchanged(session: Session, candidate: Candidate): void {
  const { service, current, lifetime } = candidate;
  const rest = restOf(lifetime, current);
  const how = rest === undefined ? 'runs, is healthy,' : restWords(rest);
  session.progress.info(`= ${service} is unchanged: it ${how} and is left alone`);
  session.recorder.note('unchanged', service);
  session.recorder.services.push({
    service,
    outcome: 'unchanged',
    release: current.release?.id,
    previousRelease: undefined,
    imageDigest: current.image?.digests[0] ?? current.image?.id,
    commit: current.release?.commit,
    version: current.release?.version,
    downtimeMs: 0,
    readyMs: undefined,
    memoryBytes: undefined,
    errorLines: 0,
    reasons: [],
  });
}

/** @returns how a run over several services ended */
export function summarize(
  procedure: string,
  candidates: readonly Candidate[],
  results: readonly RollOutResult[],
): RollOutAllResult {
  const outcome = worstOutcome(results.map((result) => result.outcome));
  const failed = results.find((result) => result.outcome !== 'deployed' && result.outcome === outcome);
  const untouched = candidates.slice(results.length === 0 ? candidates.length : indexAfter(candidates, results));
  const deployed = results.filter((result) => result.outcome === 'deployed').map((result) => result.service);
  const words: string[] = [];
  if (deployed.length > 0) words.push(`${deployed.join(', ')} ${DONE[procedure] ?? 'deployed'} and verified`);
  if (failed !== undefined) words.push(`${failed.service}: ${describeFailure(failed)}`);
  const waiting = failed === undefined ? [] : untouched.filter((candidate) => candidate.decision.kind !== 'unchanged');
  if (waiting.length > 0) words.push(`not begun: ${waiting.map((candidate) => candidate.service).join(', ')}`);
  if (words.length === 0) words.push('nothing to change: what is wanted runs and is healthy');
  return {
    outcome,
    headline: words.join('; '),
    error: failed?.error,
    undoError: failed?.undoError,
    changed: deployed.length > 0 || failed?.changed === true,
  };
}

function indexAfter(candidates: readonly Candidate[], results: readonly RollOutResult[]): number {
  const last = results.at(-1)?.service;
  return candidates.findIndex((candidate) => candidate.service === last) + 1;
}

function describeFailure(result: RollOutResult): string {
  const reason = result.error?.message ?? 'no reason recorded';
  switch (result.outcome) {
    case 'rolled-back':
      return `rolled back to release ${result.live?.release?.id ?? 'before it'}, which is live and verified (${reason})`;
    case 'rollback-failed':
      return `failed (${reason}), and going back failed as well (${result.undoError?.message ?? 'no reason recorded'})`;
    case 'cancelled':
      return `cancelled (${reason})`;
    case 'failed':
      return result.changed
        ? `failed and was not undone (${reason})`
        : `failed, nothing that runs was touched (${reason})`;
    case 'refused':
      return `refused (${reason})`;
    case 'deployed':
    case 'unchanged':
    case 'completed':
      return result.outcome;
  }
}
