import { failureOf, ProcedureError } from '../model/errors.js';
import type { OutcomeKind } from '../model/outcome.js';
import type { Operation } from '../operations/operation.js';
import type { ServicePlan } from '../operations/plan.js';
import { liveRelease } from '../model/release.js';
import { dependencyOrder } from '../model/service.js';
import type { Current } from './candidate.js';
import { inOrder } from './data.js';
import { dataOf, type ServiceData } from './data-places.js';
import { passGate } from './gates/pass-gate.js';
import { keepingOfLive, requireKept } from './keeping.js';
import { keptCandidate } from './kept-candidate.js';
import { adopt, viewAdopted } from './adopt.js';
import { observe } from './observe.js';
import { requireServices } from './open-project.js';
import { backupSpaceGate, planBackup } from './plan-backup.js';
import { readinessTimeout } from './readiness.js';
import { ServiceRun } from './service-run.js';
import type { Session, Viewing } from './session.js';
import { showPlan } from './show-plan.js';

/** A service whose data is backed up, and the plan of it. */
interface Backing {
  readonly service: string;
  readonly current: Current;
  readonly data: ServiceData;
  readonly plan: ServicePlan;
}

export interface BackUpResult {
  readonly outcome: OutcomeKind;
  readonly headline: string;
  readonly error: ProcedureError | undefined;
  readonly undoError: undefined;
  readonly changed: boolean;
}

/** @returns what backing up the services that were named, or all that have data, would do */
export async function planBackups(viewing: Viewing): Promise<readonly ServicePlan[]> {
  const backings = await findBackings(viewing, (service) => viewAdopted(viewing, service));
  return backings.map(({ plan }) => plan);
}

/** Backs up one service after the other; each is let go on before its backup is read back. */
export async function backUpServices(session: Session): Promise<BackUpResult> {
  const backings = await findBackings(session, async (service) =>
    adopt(session, service, await observe(session.engine, session, session.project, service)),
  );
  showPlan(session, { procedure: 'backup', preparation: [], services: backings.map(({ plan }) => plan) });
  for (const backing of backings) {
    const { service } = backing;
    const failure = await session.progress.group(`${service}: backup`, () => carryOut(session, backing));
    if (failure === undefined) continue;
    const done = session.saved.map((one) => one.service);
    const before = done.length === 0 ? '' : `${done.join(', ')} backed up; `;
    const outcome = failure.code === 'E_CANCELLED' ? 'cancelled' : 'failed';
    const headline = `${before}no backup of ${service}: ${failure.message}`;
    return { outcome, headline, error: failure, undoError: undefined, changed: false };
  }
  const words = session.saved.map(({ service, id }) => `${service} backed up as ${id}`);
  const headline = `${words.join(', ')}, each read back whole`;
  return { outcome: 'completed', headline, error: undefined, undoError: undefined, changed: false };
}

async function findBackings(
  viewing: Viewing,
  look: (service: string) => Promise<Current>,
): Promise<readonly Backing[]> {
  const { live } = viewing.opened;
  const named = viewing.request.services;
  requireServices(named, Object.keys(live.services));
  const backings: Backing[] = [];
  for (const service of named.length > 0 ? named : dependencyOrder(live)) {
    const current = await look(service);
    const data = await dataOf(viewing, service, current.containers);
    if (data === undefined) {
      if (named.length > 0) throw noData(service);
      continue;
    }
    passGate(viewing, 'backup-space', await backupSpaceGate(viewing, data));
    const asked = planOf(viewing, service, current, data);
    const plan = requireKept(viewing, asked, await keepingOfLive(viewing, service, current));
    backings.push({ service, current, data, plan });
  }
  if (backings.length === 0) throw noData(viewing.project);
  return backings;
}

function planOf(viewing: Viewing, service: string, current: Current, data: ServiceData): ServicePlan {
  const release = current.release ?? liveRelease(current.history);
  const { operations, notes } = planBackup(viewing, data, { release: release?.id, reason: 'asked' });
  return {
    service,
    strategy: 'recreate',
    decision: { kind: 'change', reasons: ['a backup was asked for; nothing is replaced'] },
    notes,
    operations: [...operations, ...readyAgain(viewing, current, operations)],
    estimatedDowntimeMs: data.how === 'stop' ? undefined : 0,
  };
}

/** A service that was stopped for its backup has to be there again. */
function readyAgain(viewing: Viewing, current: Current, operations: readonly Operation[]): readonly Operation[] {
  const stopped = operations.find((operation) => operation.kind === 'freeze-data' && operation.how === 'stop');
  const [first] = current.containers;
  if (stopped === undefined || !('service' in stopped) || first === undefined) return [];
  const timeoutMs = readinessTimeout(first.healthCheck, viewing.request.readinessTimeoutMs);
  return [{ kind: 'await-ready', service: stopped.service, release: current.release?.id, timeoutMs }];
}

async function carryOut(session: Session, backing: Backing): Promise<ProcedureError | undefined> {
  const { service, plan, current } = backing;
  try {
    const waits = plan.operations.some(({ kind }) => kind === 'await-ready');
    if (waits && current.release !== undefined) {
      // What looks at the service while it comes back.
      new ServiceRun(session, await keptCandidate(session, current.release.id, current));
    }
    await inOrder(session, plan.operations, (operation) => session.execute(operation, session.signal));
    return undefined;
  } catch (error) {
    const failure = failureOf(error);
    session.progress.error(`${service}: ${failure.message}`);
    return failure;
  }
}

function noData(what: string): ProcedureError {
  return new ProcedureError('E_GATE', `${what} has no volume that it can write to, and no folder is named`, {
    next: 'Mount a volume where its data is, or name folders of the host with backup-paths. Nothing was changed.',
  });
}
