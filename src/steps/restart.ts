import { failureOf, ProcedureError } from '../model/errors.js';
import { lifetimeOf } from '../model/job.js';
import { startsContainers, type Operation } from '../operations/operation.js';
import type { ServicePlan } from '../operations/plan.js';
import { liveRelease, stoppedOnPurpose, type ReleaseId } from '../model/release.js';
import type { Candidate, Current } from './candidate.js';
import { inOrder } from './data.js';
import { backupFirst, withBackup } from './data-change.js';
import { diagnoseFailure } from './diagnosis/index.js';
import { captureEvidence } from './evidence.js';
import { passCreatable } from './gates/creatable.js';
import { passActiveJobs, passBackupAge, passPorts } from './gates/index.js';
import { keepingOfLive, requireKept } from './keeping.js';
import { keptCandidate } from './kept-candidate.js';
import { adopt, viewAdopted } from './adopt.js';
import { observe } from './observe.js';
import type { RollOutAllResult } from './roll-out-all.js';
import { isWatching, touchesService } from '../run/decide.js';
import { letGo, mendWay } from '../strategies/phases.js';
import { startAgain } from '../strategies/start-again.js';
import type { Traffic } from '../strategies/strategy.js';
import { restartBeside } from './restart-beside.js';
import { rollOut, type RollOutResult } from './roll-out.js';
import { trafficInPlace } from './traffic-facts.js';
import { readinessTimeout } from './readiness.js';
import type { WantsPorts } from './port-holder.js';
import { freedPort, remediesFor, withFirst } from './remedies/index.js';
import { ServiceRun } from './service-run.js';
import type { Session, Viewing } from './session.js';
import { showNext } from './show-plan.js';
import { judgesTraffic, trafficNotes } from './traffic-proof.js';
import { checksFor } from './verify.js';
import { costInPlace, costOfKill } from './written-layer.js';

/** The same release again: gracefully in place, or by force with a fresh container. */
export type RestartWay = 'restart' | 'kill';

/** How one service is started again. */
interface Restart {
  readonly plan: ServicePlan;
  /** As a deploy of the same release, beside the old containers. */
  readonly beside?: Candidate;
  /** In place. */
  readonly wants?: WantsPorts;
}

/** @returns what starting a service's release again would do */
export async function planRestart(viewing: Viewing, service: string, way: RestartWay): Promise<ServicePlan> {
  const current = await viewAdopted(viewing, service);
  return (await prepareRestart(viewing, service, current, way, releaseToStart(current))).plan;
}

/** @throws ProcedureError E_WOULD_LOSE */
async function prepareRestart(
  viewing: Viewing,
  service: string,
  current: Current,
  way: RestartWay,
  release: ReleaseId | undefined,
): Promise<Restart> {
  const data = await backupFirst(viewing, service, current);
  const beside = way === 'kill' ? undefined : await restartBeside(viewing, current, release);
  if (beside?.kind === 'beside') {
    return { plan: withBackup(beside.plan, data), beside: { ...beside.candidate, data } };
  }
  const traffic = await trafficInPlace(viewing, service, current);
  const wants = wantsOf(viewing, service, current, traffic);
  const cost = way === 'kill' ? await costOfKill(viewing, current.containers) : costInPlace(beside?.why ?? 'as asked');
  const planned = withBackup(planFrom(viewing, service, way, current, release, traffic, cost), data);
  const keeping =
    way === 'kill' && release !== undefined
      ? (await keptCandidate(viewing, release, current)).keeping
      : await keepingOfLive(viewing, service, current);
  const kept = requireKept(viewing, planned, keeping);
  return { plan: withFirst(kept, await remediesFor(viewing, wants)), wants };
}

/**
 * Starts the releases of services again, one service at a time, each verified and watched. There is nothing to go back
 * to: what fails is what runs, and the result says so.
 */
export async function restartServices(
  session: Session,
  procedure: string,
  services: readonly string[],
  way: RestartWay,
): Promise<RollOutAllResult> {
  for (const service of services) await passBackupAge(session, service);
  // What is refused is refused before the first of several is touched.
  if (services.length > 1) for (const service of services) await planRestart(session, service, way);
  await passActiveJobs(session);
  const done: string[] = [];
  for (const service of services) {
    const current = await adopt(session, service, await observe(session.engine, session, session.project, service));
    const release = releaseToStart(current);
    if (release === undefined) throw nothingToStart(service);
    const { plan, beside, wants } = await prepareRestart(session, service, current, way, release);
    if (wants !== undefined) await passPorts(session, wants);
    showNext(session, procedure, plan, services);
    if (beside !== undefined) {
      const result = await session.progress.group(`${service}: ${procedure}`, () => rollOutAgain(session, beside));
      if (result.outcome !== 'deployed') {
        const before = done.length === 0 ? '' : `${done.join(', ')} restarted; `;
        const headline = `${before}${service} was not restarted, and what ran runs on: ${result.error?.message ?? ''}`;
        return { ...result, headline, changed: result.changed || done.length > 0 };
      }
      done.push(service);
      continue;
    }
    const candidate = await keptCandidate(session, release, current);
    if (way === 'kill') await passCreatable(session, candidate);
    const failed = await session.progress.group(`${service}: ${procedure}`, () =>
      carryOut(session, candidate, plan, way),
    );
    if (failed !== undefined) {
      const { error, begun } = failed;
      const outcome = error.code === 'E_CANCELLED' ? 'cancelled' : 'failed';
      const before = done.length === 0 ? '' : `${done.join(', ')} restarted; `;
      const touched = begun.some(touchesService);
      const what = isWatching(begun)
        ? 'was restarted and verified, and its watch did not come to its end well'
        : begun.some(startsContainers)
          ? 'was restarted and is not right'
          : touched
            ? 'may be stopped and was not started again'
            : 'was not restarted';
      const headline = `${before}${service} ${what}: ${error.message}`;
      const freed = freedPort(session, plan);
      return { outcome, headline, error, undoError: undefined, changed: touched || freed || done.length > 0 };
    }
    done.push(service);
  }
  const headline = `${done.join(', ')} restarted and verified`;
  return { outcome: 'deployed', headline, error: undefined, undoError: undefined, changed: true };
}

/** What a service asks of the host that is started again from the files as they lie. */
function wantsOf(viewing: Viewing, service: string, current: Current, traffic: Traffic): WantsPorts {
  const definition = viewing.opened.live.services[service] ?? { ports: [] };
  return { service, definition, current, traffic };
}

/** The same release once more, as a deploy of it: what fails leaves the old containers serving. */
async function rollOutAgain(session: Session, candidate: Candidate): Promise<RollOutResult> {
  await passCreatable(session, candidate);
  const run = new ServiceRun(session, candidate);
  const result = await rollOut(session, candidate, { service: run, accountLater: true });
  if (result.outcome !== 'deployed') return result;
  await run.compareMemory();
  run.report('deployed', candidate.release, undefined);
  return result;
}

async function carryOut(
  session: Session,
  candidate: Candidate,
  plan: ServicePlan,
  way: RestartWay,
): Promise<{ readonly error: ProcedureError; readonly begun: readonly Operation[] } | undefined> {
  const run = new ServiceRun(session, candidate);
  try {
    const execute = (operation: Operation): Promise<void> => run.execute(operation, session.signal);
    const operations = way === 'kill' ? await saveIfPossible(session, plan, execute) : plan.operations;
    await inOrder(session, operations, execute);
    if (way === 'restart') await run.compareMemory();
    run.report('deployed', candidate.release, undefined);
    return undefined;
  } catch (error) {
    const failure = failureOf(error);
    session.progress.error(`${candidate.service}: ${failure.message}`);
    await diagnoseFailure(session, candidate.service, candidate.definition, failure, 'calm');
    await captureEvidence(session, session.project, candidate.service, 'failed', session.clock.deadline(60_000)).catch(
      (captureError: unknown) => session.progress.debug(`evidence: ${String(captureError)}`),
    );
    const { begun } = run;
    const watching = isWatching(begun) && failure.code === 'E_CANCELLED';
    session.recorder.nextSteps.push(
      watching
        ? `${candidate.service}: what runs is release ${candidate.release.id}, as before, started again and verified. Look at it for the rest of the time.`
        : begun.some(startsContainers)
          ? `${candidate.service}: what is there now is release ${candidate.release.id}, started again. To go back to the one before: procedure rollback with rollback-to: previous.`
          : `${candidate.service}: it was not started again. Look at what is there (docker ps --all), correct what is in the way, and run the same procedure again.`,
    );
    await run.reportFailure(failure.code === 'E_CANCELLED' ? 'cancelled' : 'failed', undefined);
    return { error: failure, begun };
  }
}

/**
 * An emergency does not fail because of the backup before it: without one it goes on, and says so.
 * @returns what is left to be carried out
 */
async function saveIfPossible(
  session: Session,
  { service, operations }: ServicePlan,
  execute: (operation: Operation) => Promise<void>,
): Promise<readonly Operation[]> {
  const last = operations.findLastIndex(({ kind }) => kind === 'keep-backup');
  if (last === -1) return operations;
  try {
    await inOrder(session, operations.slice(0, last + 1), execute);
  } catch (error) {
    const failure = failureOf(error);
    if (failure.code === 'E_CANCELLED') throw failure;
    const what = `${service}: there is no backup of what it had before (${failure.message})`;
    session.progress.warning(`${what}; the emergency goes on`);
    session.recorder.nextSteps.push(`${what}.`);
  }
  return operations.slice(last + 1);
}

function releaseToStart(current: Current): ReleaseId | undefined {
  return (current.release ?? liveRelease(current.history))?.id;
}

function planFrom(
  viewing: Viewing,
  service: string,
  way: RestartWay,
  current: Current,
  release: ReleaseId | undefined,
  traffic: Traffic,
  cost: string,
): ServicePlan {
  return {
    service,
    strategy: 'recreate',
    decision: { kind: 'change', reasons: [way === 'kill' ? 'emergency restart' : 'a restart was asked for'] },
    notes: [cost, ...trafficNotes(viewing.request, 'recreate')],
    operations: restartOperations(viewing, service, way, current, release, traffic),
    estimatedDowntimeMs: undefined,
  };
}

function restartOperations(
  viewing: Viewing,
  service: string,
  way: RestartWay,
  current: Current,
  release: string | undefined,
  traffic: Traffic,
): readonly Operation[] {
  const { request } = viewing;
  const containers = current.containers.map((container) => container.id);
  const timeoutMs = readinessTimeout(current.containers[0]?.healthCheck, request.readinessTimeoutMs);
  const checks = checksFor(request, {
    ends: lifetimeOf(viewing.opened.live, service) === 'ends',
    goingBack: true,
    judgesTraffic: judgesTraffic(request, 'recreate'),
  });
  const operations: Operation[] = [{ kind: 'capture-evidence', service, moment: 'before' }];
  if (way === 'restart' && containers.length > 0) {
    operations.push(...mendWay({ service, traffic }), { kind: 'restart-containers', service, containers, release });
  } else {
    operations.push(
      ...(stoppedOnPurpose(current.history) === undefined || release === undefined
        ? []
        : [{ kind: 'record-start' as const, service, release }]),
      { kind: 'kill-containers', service, containers, release },
      { kind: 'remove-containers', service, containers, release },
      ...startAgain({
        service,
        release: release ?? 'the live release',
        replicas: Math.max(1, containers.length),
        traffic,
        present: [],
        containerName: viewing.opened.live.services[service]?.containerName,
        timeoutMs,
      }),
    );
  }
  operations.push(
    ...(operations.some(({ kind }) => kind === 'await-ready')
      ? []
      : [{ kind: 'await-ready' as const, service, release, timeoutMs }, ...letGo(service, traffic.router)]),
    { kind: 'verify', service, release: way === 'kill' ? release : undefined, checks },
    { kind: 'watch', service, release, durationMs: request.watchMs },
    { kind: 'capture-evidence', service, moment: 'after' },
  );
  return operations;
}

function nothingToStart(service: string): ProcedureError {
  return new ProcedureError('E_GATE', `${service} does not run and the ledger has no release of it`, {
    next: 'Deploy it with procedure code-update. Nothing was changed.',
  });
}
