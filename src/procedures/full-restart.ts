import { ProcedureError } from '../model/errors.js';
import type { Plan } from '../operations/plan.js';
import { lifetimeOf } from '../model/job.js';
import { dependencyOrder } from '../model/service.js';
import { backUpAll, type SavedFirst } from '../steps/back-up-all.js';
import type { Candidate } from '../steps/candidate.js';
import { diskSpaceGate } from '../steps/gates/disk-space.js';
import { healthGate } from '../steps/gates/health.js';
import { passGate } from '../steps/gates/pass-gate.js';
import { observe } from '../steps/observe.js';
import { bringUpAll } from '../steps/bring-up.js';
import { withRemovedFirst } from '../steps/keeping.js';
import { planFor } from '../steps/plan-service.js';
import { prepare } from '../steps/prepare.js';
import { viewCandidates } from '../steps/preview.js';
import { selectServices } from '../steps/select-services.js';
import type { Session, Viewing } from '../steps/session.js';
import { describePreview, isAtRest, showPlan, withRestart } from '../steps/show-plan.js';
import { withoutStopped } from '../steps/stopped.js';
import { takeDown, takenDown, withCost } from '../steps/take-down.js';
import { wantedFromLive } from '../steps/wanted.js';
import { describeOperation } from '../operations/operation.js';
import { ended, type Procedure, type ProcedureResult } from './procedure.js';

/**
 * Runbook, Full Restart: everything down, everything up, built anew from the files as they lie. What is built is built
 * before anything goes down, so that a build that fails costs nothing.
 */
export const fullRestart: Procedure = {
  name: 'full-restart',
  purpose: 'Builds, takes every service down, and starts all of them on new networks; volumes stay.',
  interrupts: false,

  async preview(viewing: Viewing): Promise<ProcedureResult> {
    const asked = asRecreate(viewing);
    const wanted = wantedFromLive(asked.opened, asked.request.workingDirectory);
    const { preparation, candidates } = await viewCandidates(asked, wanted, await all(asked), 'build');
    const again = restarted(candidates);
    const plan = planAll(asked, again, await backUpAll(asked, again));
    return ended(
      'completed',
      describePreview(viewing, { ...plan, preparation: [...preparation, ...plan.preparation] }),
    );
  },

  async perform(session: Session): Promise<ProcedureResult> {
    const asked = asRecreate(session);
    passGate(asked, 'disk-space', await diskSpaceGate(asked, asked.opened));
    const services = await all(asked);
    for (const service of services) {
      const seen = await observe(asked.engine, asked, asked.project, service);
      passGate(asked, 'health', healthGate(service, seen, lifetimeOf(asked.opened.live, service)));
    }
    const wanted = wantedFromLive(asked.opened, asked.request.workingDirectory);
    await asked.progress.group('Build', () => prepare(asked, wanted, services, { images: 'build' }));
    const candidates = restarted(services.flatMap((service) => asked.candidates.get(service) ?? []));
    const built = [...session.begun];
    const saving = await backUpAll(asked, candidates);
    const plan = planAll(asked, candidates, saving);
    for (const operation of plan.preparation) session.progress.info(`  first: ${describeOperation(operation)}`);
    showPlan(session, { ...plan, preparation: [...built, ...plan.preparation] });
    session.recorder.rollbackReleasePresent = candidates.every(({ current }) => current.release !== undefined);
    return bringUpAll(
      asked,
      { saving: saving.operations, down: takeDown(asked.project, candidates) },
      takenDown(candidates),
    );
  },
};

/** The backups come before anything goes down: taken later, their reading would be an outage of all. */
function planAll(viewing: Viewing, candidates: readonly Candidate[], saving: SavedFirst): Plan {
  const commit = viewing.opened.checkout?.commit;
  const plans = takenDown(candidates).map((candidate) => {
    const plan = planFor(viewing, candidate, commit);
    return { ...plan, notes: [...plan.notes, ...(saving.notes.get(candidate.service) ?? [])] };
  });
  const preparation = [...saving.operations, ...takeDown(viewing.project, candidates)];
  return { procedure: 'full-restart', preparation, services: withCost(plans, candidates) };
}

/** Whatever way the compose file names for a change: nothing is left to replace one beside the other. */
function asRecreate<T extends Viewing>(viewing: T): T {
  return { ...viewing, request: { ...viewing.request, strategy: 'recreate' } };
}

/** @throws ProcedureError E_INPUT, E_GATE */
async function all(viewing: Viewing): Promise<readonly string[]> {
  const { services, force } = viewing.request;
  if (services.length > 0) {
    throw new ProcedureError('E_INPUT', 'full-restart is of the whole project: service cannot be given', {
      next: 'Leave service out; for one service there are health-restart and emergency. Nothing was changed.',
    });
  }
  const { live } = viewing.opened;
  const selected = selectServices(viewing, live, new Set(Object.keys(live.services)));
  const left = await withoutStopped(viewing, selected);
  const out = selected.filter((service) => !left.includes(service));
  if (out.length > 0 && !force) {
    throw new ProcedureError('E_GATE', `${out.join(', ')}: stopped on purpose, and a full restart starts everything`, {
      next: 'Start it first with procedure start, or set force: true. Nothing was changed.',
    });
  }
  return dependencyOrder(live).filter((service) => left.includes(service));
}

/** An edge that would be installed with the next change is not installed with this one. */
function restarted(candidates: readonly Candidate[]): readonly Candidate[] {
  const services = new Set(candidates.map(({ service }) => service));
  return candidates.map((candidate) => {
    const { traffic } = candidate;
    const plain =
      traffic.takeover === undefined ? traffic : { ...traffic, router: { kind: 'none' as const }, takeover: undefined };
    const all = withRemovedFirst({ ...candidate, traffic: plain }, services);
    return all.decision.kind === 'unchanged' && !isAtRest(all)
      ? withRestart(all, 'a full restart recreates what is unchanged as well')
      : all;
  });
}
