import type { ServicePlan } from '../model/plan.js';
import { adopt, observe } from '../steps/observe.js';
import { requireNamedServices } from '../steps/require.js';
import type { Session, Viewing } from '../steps/session.js';
import { describePreview, planLines } from '../steps/show-plan.js';
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
      plans.push(stopPlan(session, service, current, await routerInPlace(session, service)));
    }
    session.recorder.plan = { procedure: 'stop', preparation: [], services: plans };
    for (const line of planLines(session.recorder.plan)) session.progress.info(line);
    const changing = plans.filter(({ operations }) => operations.length > 0);
    for (const { service, operations } of changing) {
      session.lookers.set(service, stopLooker(session));
      await session.progress.group(`${service}: stop`, async () => {
        for (const operation of operations) await session.execute(operation, session.signal);
      });
      session.recorder.note('stopped on purpose', service);
    }
    if (changing.length === 0) return ended('unchanged', `${services.join(', ')}: stopped on purpose already`);
    session.recorder.nextSteps.push(`To start it again: procedure start with service: ${services.join(', ')}.`);
    return {
      ...ended('completed', `${services.join(', ')} stopped, and stays so until procedure start`),
      changed: true,
    };
  },
};
