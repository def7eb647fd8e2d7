import type { BackupManifest, DataPlace } from '../model/backup.js';
import { failureOf, type ProcedureError } from '../model/errors.js';
import type { Operation, OperationOf } from '../operations/operation.js';
import { dataBack, type DataReturn } from '../operations/restore-data.js';
import type { ServicePlan } from '../operations/plan.js';
import { lifetimeOf, restOf } from '../model/job.js';
import { definitionOf, liveRelease, stoppedOnPurpose } from '../model/release.js';
import type { Candidate, Current } from './candidate.js';
import { captureEvidence } from './evidence.js';
import { checkWhole, findBackup, requirePlaces, toolFor } from './backup-to-restore.js';
import { inOrder } from './data.js';
import { dataOf, type ServiceData } from './data-places.js';
import { inUseGate } from './gates/in-use.js';
import { passGate } from './gates/pass-gate.js';
import { restoreSpaceGate } from './gates/restore-space.js';
import { keepingOfLive, requireKept } from './keeping.js';
import { keptCandidate } from './kept-candidate.js';
import { adopt, viewAdopted } from './adopt.js';
import { observe } from './observe.js';
import { backupSpaceGate, planBackup, stopFor } from './plan-backup.js';
import { readinessTimeout } from './readiness.js';
import type { RollOutAllResult } from './roll-out-all.js';
import { ServiceRun } from './service-run.js';
import type { Session, Viewing } from './session.js';
import { showPlan } from './show-plan.js';
import { makeMissing, missingVolumes, type Surrounding } from './surroundings.js';
import { judgesTraffic, trafficNotes } from './traffic-proof.js';
import { checksFor } from './verify.js';

/** Going back goes on after a cancel. */
const UNDO_DEADLINE_MS = 60 * 60_000;

/** A backup that is to be restored, and the plan of it. */
interface Restoring {
  readonly service: string;
  readonly current: Current;
  readonly data: ServiceData;
  readonly manifest: BackupManifest;
  readonly plan: ServicePlan;
  /** Volumes that are not there, and are made first. */
  readonly missing: readonly Surrounding[];
}

/** @returns what restoring would do; the archive is read whole, and nothing is changed */
export async function planRestore(viewing: Viewing, service: string): Promise<ServicePlan> {
  const current = await viewAdopted(viewing, service);
  // A look makes no container: which image the old data is deleted in is found out when it is.
  return (await prepareRestore(viewing, service, current, async () => Promise.resolve(''))).plan;
}

/** Restores services one after the other; at the first failure the data of before is put back. */
export async function restoreServices(session: Session, services: readonly string[]): Promise<RollOutAllResult> {
  const restorings: Restoring[] = [];
  // All archives are read whole before the first service is touched.
  for (const service of services) {
    const current = await adopt(session, service, await observe(session.engine, session, session.project, service));
    restorings.push(await prepareRestore(session, service, current));
  }
  showPlan(session, { procedure: 'restore', preparation: [], services: restorings.map(({ plan }) => plan) });
  const done: string[] = [];
  for (const restoring of restorings) {
    const { service, manifest } = restoring;
    const result = await session.progress.group(`${service}: restore`, () => carryOut(session, restoring));
    if (result !== undefined) {
      const before = done.length === 0 ? '' : `${done.join('; ')}; `;
      return { ...result, headline: `${before}${service}: ${result.headline}` };
    }
    const proven = restoring.plan.operations.some(({ kind }) => kind === 'verify')
      ? ', and is verified'
      : ', and is not started';
    done.push(`${service} has the data of backup ${manifest.id} (${manifest.at}) again${proven}`);
  }
  return { outcome: 'deployed', headline: done.join('; '), error: undefined, undoError: undefined, changed: true };
}

async function prepareRestore(
  viewing: Viewing,
  service: string,
  current: Current,
  findTool: typeof toolFor = toolFor,
): Promise<Restoring> {
  const data = await dataOf(viewing, service, current.containers);
  const manifest = await findBackup(viewing, service, viewing.request.restoreFrom ?? 'latest');
  const places = requirePlaces(service, manifest, data?.places ?? []);
  if (data === undefined) throw new Error('a service without places has been refused');
  const folder = viewing.backups.folderOf(viewing.request.backupDir, viewing.project, service, manifest.id);
  await checkWhole(viewing, manifest, folder);
  passGate(viewing, 'data-in-use', inUseGate(service, data.others));
  passGate(viewing, 'restore-space', await restoreSpaceGate(viewing, manifest, places));
  passGate(viewing, 'backup-space', await backupSpaceGate(viewing, data));
  const tool = await findTool(viewing, service, current.containers);
  const missing = current.containers.length === 0 ? await missingVolumes(viewing, service) : [];
  const asked = planOf(viewing, { service, current, data, manifest, places, folder, tool, missing });
  const plan = requireKept(viewing, asked, await keepingOfLive(viewing, service, current));
  return { service, current, data, manifest, plan, missing };
}

function planOf(
  viewing: Viewing,
  {
    service,
    current,
    data,
    manifest,
    places,
    folder,
    tool,
    missing,
  }: Omit<Restoring, 'plan'> & {
    readonly places: readonly DataPlace[];
    readonly folder: string;
    readonly tool: string;
  },
): ServicePlan {
  const { request } = viewing;
  const release = (current.release ?? liveRelease(current.history))?.id;
  const there = current.containers.length > 0;
  // A job that has completed is not run again, and what a person stopped on purpose stays so, with the data that is wanted.
  const rest = restOf(lifetimeOf(viewing.opened.live, service), current);
  const starts = there && rest === undefined && stoppedOnPurpose(current.history) === undefined;
  const safety = planBackup(viewing, { ...data, places }, { release, reason: 'safety', still: true });
  const stop = stopFor(data);
  const timeoutMs = readinessTimeout(current.containers[0]?.healthCheck, request.readinessTimeoutMs);
  const checks = checksFor(request, {
    ends: false,
    goingBack: true,
    judgesTraffic: judgesTraffic(request, 'recreate'),
  });
  const operations: readonly Operation[] = [
    ...(there
      ? [
          { kind: 'capture-evidence' as const, service, moment: 'before' as const },
          { kind: 'freeze-data' as const, ...stop },
        ]
      : []),
    ...safety.operations,
    {
      kind: 'restore-data',
      service,
      backup: manifest.id,
      folder,
      places,
      tool,
      safety: { backup: safety.id, folder: safety.folder },
    },
    ...(starts
      ? [
          { kind: 'thaw-data' as const, ...stop },
          { kind: 'await-ready' as const, service, release, timeoutMs },
          { kind: 'verify' as const, service, release: undefined, checks },
          { kind: 'watch' as const, service, release, durationMs: request.watchMs },
          { kind: 'capture-evidence' as const, service, moment: 'after' as const },
        ]
      : []),
  ];
  return {
    service,
    strategy: 'recreate',
    decision: { kind: 'change', reasons: [`backup ${manifest.id} of ${manifest.at} replaces its data`] },
    notes: [
      `Stopped, backed up as it is then (${safety.id}), emptied${starts ? ', filled and started again: requests fail meanwhile' : ' and filled; it is not started, since it does not run'}, and what was written since ${manifest.at} is in ${safety.id} alone.`,
      ...(missing.length === 0
        ? []
        : [
            `Volume ${missing.map(({ name }) => name).join(', ')} is not there: Compose makes it first, and starts nothing.`,
          ]),
      ...releaseNotes(manifest, release),
      ...trafficNotes(request, 'recreate'),
    ],
    operations,
    estimatedDowntimeMs: undefined,
  };
}

function releaseNotes({ release: wrote }: BackupManifest, release: string | undefined): readonly string[] {
  if (wrote === undefined || release === undefined || wrote === release) return [];
  return [
    `The data was written by release ${wrote}, and ${release} is started on it: to go back to both, use rollback with with-data.`,
  ];
}

async function makeVolumes(session: Session, service: string, missing: readonly Surrounding[]): Promise<void> {
  const { live } = session.opened;
  const definition = live.services[service];
  if (definition === undefined) return;
  const of = { definition: definitionOf(live, definition), service, image: definition.image };
  await makeMissing(session, of, missing, session.signal);
}

type Failed = Omit<RollOutAllResult, 'error'> & { readonly error: ProcedureError };

async function carryOut(session: Session, { service, current, plan, missing }: Restoring): Promise<Failed | undefined> {
  const release = current.release ?? liveRelease(current.history);
  const candidate = release === undefined ? undefined : await keptCandidate(session, release.id, current);
  const run = candidate === undefined ? undefined : new ServiceRun(session, candidate);
  const execute = (operation: Operation, signal: AbortSignal): Promise<void> =>
    run === undefined ? session.execute(operation, signal) : run.execute(operation, signal);
  try {
    await makeVolumes(session, service, missing);
    await inOrder(session, plan.operations, (operation) => execute(operation, session.signal));
    run?.report('deployed', release, undefined);
    return undefined;
  } catch (error) {
    const failure = failureOf(error);
    session.progress.error(`${service}: ${failure.message}`);
    const result = await afterFailure(session, candidate, plan, failure, execute);
    await run?.reportFailure(result.outcome, undefined);
    return result;
  }
}

async function afterFailure(
  session: Session,
  candidate: Candidate | undefined,
  plan: ServicePlan,
  error: ProcedureError,
  execute: (operation: Operation, signal: AbortSignal) => Promise<void>,
): Promise<Failed> {
  const { service } = plan;
  const cancelled = error.code === 'E_CANCELLED';
  const restore = plan.operations.find((operation) => operation.kind === 'restore-data');
  if (restore?.safety === undefined || !session.begun.includes(restore)) {
    const headline = `not restored, its data is as it was (${error.message})`;
    return { outcome: cancelled ? 'cancelled' : 'failed', headline, error, undoError: undefined, changed: false };
  }
  await captureEvidence(session, session.project, service, 'failed', session.clock.deadline(60_000)).catch(
    (problem: unknown) => session.progress.debug(`evidence: ${String(problem)}`),
  );
  const { safety } = restore;
  session.progress.info(`↩ ${service}: putting the data of before back, from ${safety.backup}`);
  try {
    const deadline = session.clock.deadline(UNDO_DEADLINE_MS);
    for (const operation of backOperations(plan, restore, safety)) await execute(operation, deadline);
    session.recorder.note(`the data of before is back, from backup ${safety.backup}`, service);
    const headline = `the data of before is back and ${candidate === undefined ? 'whole' : 'verified'} (${error.message})`;
    return { outcome: cancelled ? 'cancelled' : 'rolled-back', headline, error, undoError: undefined, changed: false };
  } catch (undo) {
    const undoError = failureOf(undo);
    session.progress.error(`${service}: putting the data of before back failed as well: ${undoError.message}`);
    session.recorder.nextSteps.push(
      `${service}: the data of before lies whole in ${safety.folder}; procedure restore with backup: ${safety.backup} puts it back.`,
    );
    const headline = `failed (${error.message}), and putting the data of before back failed as well (${undoError.message})`;
    return { outcome: 'rollback-failed', headline, error, undoError, changed: true };
  }
}

/** @returns what puts the data of before back in the place of what a plan put there, and starts the service on it */
function backOperations(
  plan: ServicePlan,
  restore: DataReturn,
  safety: NonNullable<DataReturn['safety']>,
): readonly Operation[] {
  const thaw = plan.operations.find((operation) => operation.kind === 'thaw-data');
  const again = plan.operations.filter(
    (operation): operation is OperationOf<'thaw-data' | 'await-ready' | 'verify'> =>
      operation.kind === 'thaw-data' || operation.kind === 'await-ready' || operation.kind === 'verify',
  );
  return [
    ...(thaw === undefined ? [] : [{ ...thaw, kind: 'freeze-data' as const }]),
    dataBack(restore, safety),
    ...again,
  ];
}
