import { ProcedureError } from '../model/errors.js';
import { planRestore, restoreServices } from '../steps/restore.js';
import { requireNamedServices } from '../steps/require.js';
import type { Session, Viewing } from '../steps/session.js';
import { describePreview } from '../steps/show-plan.js';
import type { ServicePlan } from '../operations/plan.js';
import { ended, type Procedure, type ProcedureResult } from './procedure.js';

/**
 * Runbook, Data Rollback: the data of a backup takes the place of what is there. The archive is read whole before anything
 * is touched, what is there is backed up first, and comes back when anything fails.
 */
export const restore: Procedure = {
  name: 'restore',
  purpose: 'Puts the data of a backup back into the volumes of a service, and the data of before when that fails.',
  interrupts: false,

  async preview(viewing: Viewing): Promise<ProcedureResult> {
    const services: ServicePlan[] = [];
    for (const service of servicesOf(viewing)) services.push(await planRestore(viewing, service));
    return ended('completed', describePreview(viewing, { procedure: 'restore', preparation: [], services }));
  },

  async perform(session: Session): Promise<ProcedureResult> {
    return restoreServices(session, servicesOf(session));
  },
};

function servicesOf(viewing: Viewing): readonly string[] {
  const services = requireNamedServices(viewing);
  if (viewing.request.restoreFrom === 'latest' || services.length === 1) return services;
  throw new ProcedureError('E_INPUT', 'A backup is of one service, and service names several', {
    next: 'Name one service, or take the latest backup of each with backup: latest. Nothing was changed.',
  });
}
