import { carryOutEjection, prepareEjection, viewEjection } from '../steps/eject.js';
import { requireNamedServices } from '../steps/require.js';
import type { Session, Viewing } from '../steps/session.js';
import { describePreview, showNext } from '../steps/show-plan.js';
import { ended, type Procedure, type ProcedureResult } from './procedure.js';

/** Takes the managed edge away: the service has its ports itself again, as if the edge had never been there. */
export const eject: Procedure = {
  name: 'eject',
  purpose: 'Gives a service its ports back and removes its managed edge.',
  interrupts: false,

  async preview(viewing: Viewing): Promise<ProcedureResult> {
    const ejections = await Promise.all(requireNamedServices(viewing).map((service) => viewEjection(viewing, service)));
    const services = ejections.map(({ plan }) => plan);
    return ended('completed', describePreview(viewing, { procedure: 'eject', preparation: [], services }));
  },

  async perform(session: Session): Promise<ProcedureResult> {
    const done: string[] = [];
    const services = requireNamedServices(session);
    // What is refused is refused before the first of several is touched.
    if (services.length > 1) for (const service of services) await prepareEjection(session, service);
    for (const service of services) {
      const ejection = await prepareEjection(session, service);
      showNext(session, 'eject', ejection.plan, services);
      const failure = await session.progress.group(`${service}: eject`, () => carryOutEjection(session, ejection));
      if (failure !== undefined) return { ...failure, undoError: undefined };
      done.push(service);
    }
    return ended('deployed', `${done.join(', ')}: the edge is gone, and the service has its ports itself`);
  },
};
