import { backUpServices, planBackups } from '../steps/back-up.js';
import type { Session, Viewing } from '../steps/session.js';
import { describePreview } from '../steps/show-plan.js';
import { deleteOldBackups, showBackups } from '../steps/old-backups.js';
import { ended, type Procedure, type ProcedureResult } from './procedure.js';

/** Runbook, Prerequisites and Data Rollback: the data of services, consistent, checked, in one folder each. */
export const backup: Procedure = {
  name: 'backup',
  purpose: 'Backs up the volumes of services to files that are checked by reading them back.',
  interrupts: false,

  async preview(viewing: Viewing): Promise<ProcedureResult> {
    const services = await planBackups(viewing);
    return ended('completed', describePreview(viewing, { procedure: 'backup', preparation: [], services }));
  },

  async perform(session: Session): Promise<ProcedureResult> {
    const result = await backUpServices(session);
    // Before they are shown: the table has those that stay.
    await deleteOldBackups(session);
    for (const service of new Set(session.saved.map((one) => one.service))) await showBackups(session, service);
    return result;
  },
};
