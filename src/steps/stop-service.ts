import { ProcedureError } from '../model/errors.js';
import type { OperationOf } from '../operations/operation.js';
import type { ServicePlan } from '../operations/plan.js';
import { liveRelease, stoppedOnPurpose } from '../model/release.js';
import { isAlive } from '../model/service.js';
import type { RouterSpec } from '../model/router.js';
import { planStop } from '../strategies/stop-start.js';
import type { Current } from './candidate.js';
import { backupFirst, withBackup } from './data-change.js';
import { describeState } from './diagnose.js';
import { captureEvidence } from './evidence.js';
import { viewAdopted } from './adopt.js';
import type { Looker, Session, Viewing } from './session.js';
import { routerInPlace } from './traffic-facts.js';

/** @returns what stopping a service would do @throws ProcedureError E_GATE when there is nothing of it to stop */
export async function viewStop(viewing: Viewing, service: string): Promise<ServicePlan> {
  const current = await viewAdopted(viewing, service);
  const plan = stopPlan(viewing, service, current, await routerInPlace(viewing, service));
  return plan.operations.length === 0 ? plan : withBackup(plan, await backupFirst(viewing, service, current));
}

/** @param current with what runs taken into the ledger: it has to be there to be started again */
export function stopPlan(viewing: Viewing, service: string, current: Current, router: RouterSpec): ServicePlan {
  const { containers, history } = current;
  const release = current.release?.id ?? liveRelease(history)?.id;
  if (containers.length === 0 && release === undefined) {
    throw new ProcedureError('E_GATE', `Nothing of ${service} runs, and the ledger has no release of it`, {
      next: 'It was never deployed. Nothing was changed.',
    });
  }
  const running = containers.filter(isAlive).map(({ id }) => id);
  const { request, invocation } = viewing;
  const notes = stopNotes(viewing, service, request.force);
  if (running.length === 0 && stoppedOnPurpose(history) !== undefined) {
    return {
      service,
      strategy: 'recreate',
      decision: { kind: 'unchanged', release: current.release?.id },
      notes: [],
      operations: [],
      estimatedDowntimeMs: undefined,
    };
  }
  return {
    service,
    strategy: 'recreate',
    decision: { kind: 'change', reasons: ['a stop was asked for'] },
    notes,
    operations: planStop({
      service,
      release: release ?? 'what runs',
      reason: [invocation.actor, ...(request.reason === undefined ? [] : [request.reason])].join(': '),
      running,
      always: containers.filter(({ restartPolicy }) => restartPolicy === 'always').map(({ id }) => id),
      router,
      drainTimeoutMs: request.drainTimeoutMs,
      kill: request.force,
    }),
    estimatedDowntimeMs: undefined,
  };
}

function stopNotes(viewing: Viewing, service: string, kill: boolean): readonly string[] {
  const { services } = viewing.opened.live;
  const dependents = Object.values(services)
    .filter((other) => other.dependsOn.some((dependency) => dependency.service === service))
    .map(({ name }) => name);
  return [
    kill
      ? 'Killed without its grace time: what it had not written is lost. The containers stay, with their writable layers.'
      : 'Stopped within its grace time; the containers stay, with their writable layers, and so do volumes and networks.',
    `${service} does not serve until procedure start: a deploy that names it is refused, any other leaves it alone.`,
    ...(dependents.length === 0 ? [] : [`${dependents.join(', ')} depend on it and go on running without it.`]),
  ];
}

/** Looks at a service that is being stopped: all there is to see is whether it ended. */
export function stopLooker(session: Session): Looker {
  const none = async (): Promise<void> => Promise.resolve();
  return {
    goingBack: false,
    awaitReady: none,
    watch: none,
    analyse: none,
    restartMs: () => undefined,
    definition: () => session.opened.live.document,
    capture: async ({ service, moment }, signal) => {
      await captureEvidence(session, session.project, service, moment, signal);
    },
    verify: (operation) => verifyStopped(session, operation),
  };
}

/** @throws ProcedureError E_VERIFICATION when the engine still shows a process */
async function verifyStopped(session: Session, { service }: OperationOf<'verify'>): Promise<void> {
  const containers = await session.engine.containers(session.project, service);
  const alive = containers.find(isAlive);
  const detail = alive === undefined ? 'no container of it runs' : `${alive.name}: ${describeState(alive)}`;
  session.recorder.verified.push({ service, check: 'stopped', passed: alive === undefined, detail, durationMs: 0 });
  if (alive === undefined) return;
  throw new ProcedureError('E_VERIFICATION', `${detail} after it was stopped`, {
    next: 'Something starts it again: look at docker events. With force: true it is killed.',
  });
}
