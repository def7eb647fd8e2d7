import { failureOf, type ProcedureError } from '../model/errors.js';
import type { Operation } from '../operations/operation.js';
import type { ServicePlan } from '../operations/plan.js';
import { inOrder } from '../steps/data.js';
import { noteKilled } from '../steps/killed-after-grace.js';
import { noSigns } from '../steps/signs.js';
import { backupFirst, withBackup } from '../steps/data-change.js';
import { adopt } from '../steps/adopt.js';
import { observe } from '../steps/observe.js';
import { requireNamedServices } from '../steps/require.js';
import type { Session, Viewing } from '../steps/session.js';
import { describePreview, showPlan } from '../steps/show-plan.js';
import { stopLooker, stopPlan, viewStop } from '../steps/stop-service.js';
import { routerInPlace } from '../steps/traffic-facts.js';
import { ended, type Procedure, type ProcedureResult } from './procedure.js';

/** Runbook, Emergency Stop: a service that does harm while it runs is stopped, and nothing starts it unasked. */
export const stop: Procedure = {
  name: 'stop',
  purpose: 'Stops services on purpose; they stay stopped until procedure start.',
  interrupts: true,

  async preview(viewing: Viewing): Promise<ProcedureResult> {
    const services = await Promise.all(requireNamedServices(viewing).map((name) => viewStop(viewing, name)));
    return ended('completed', describePreview(viewing, { procedure: 'stop', preparation: [], services }));
  },

  async perform(session: Session): Promise<ProcedureResult> {
    const services = requireNamedServices(session);
    const plans: ServicePlan[] = [];
    for (const service of services) {
      const current = await adopt(session, service, await observe(session.engine, session, session.project, service));
      const plan = stopPlan(session, service, current, await routerInPlace(session, service));
      plans.push(
        withBackup(plan, plan.operations.length === 0 ? undefined : await backupFirst(session, service, current)),
      );
    }
    showPlan(session, { procedure: 'stop', preparation: [], services: plans });
    const changing = plans.filter(({ operations }) => operations.length > 0);
    const stopped: string[] = [];
    for (const { service, operations } of changing) {
      session.lookers.set(service, stopLooker(session));
      const from = session.events.seen.length;
      const failure = await session.progress.group(`${service}: stop`, () => carryOut(session, operations));
      if (failure !== undefined) return notStopped(service, failure, stopped);
      const ended = operations.flatMap((one) => (one.kind === 'stop-containers' ? one.containers : []));
      await noteKilled(session, noSigns(), service, { containers: ended, from, ended: true });
      session.recorder.note('stopped on purpose', service);
      stopped.push(service);
    }
    if (changing.length === 0) return ended('unchanged', `${services.join(', ')}: stopped on purpose already`);
    session.recorder.nextSteps.push(`To start it again: procedure start with service: ${services.join(', ')}.`);
    return {
      ...ended('completed', `${services.join(', ')} stopped, and stays so until procedure start`),
      changed: true,
    };
  },
};

/** @returns why the backup before it failed, and with that nothing was stopped; what fails later is thrown */
async function carryOut(session: Session, operations: readonly Operation[]): Promise<ProcedureError | undefined> {
  try {
    await inOrder(session, operations, (operation) => session.execute(operation, session.signal));
    return undefined;
  } catch (error) {
    const failure = failureOf(error);
    const touched = operations.some((one) => one.kind === 'record-stop' && session.begun.includes(one));
    if (touched) throw failure;
    session.progress.error(failure.message);
    return failure;
  }
}

function notStopped(service: string, error: ProcedureError, stopped: readonly string[]): ProcedureResult {
  const before = stopped.length === 0 ? '' : `${stopped.join(', ')} stopped; `;
  return {
    outcome: error.code === 'E_CANCELLED' ? 'cancelled' : 'failed',
    headline: `${before}${service} was not stopped: ${error.message}`,
    error,
    undoError: undefined,
    changed: stopped.length > 0,
  };
}
