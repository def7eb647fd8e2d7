import { modifiedFilesGate } from '../steps/gates/modified-files.js';
import { passGate } from '../steps/gates/pass-gate.js';
import { withFreshBases } from '../steps/maintenance/fresh-bases.js';
import { carryOutPhases, MAINTENANCE_PHASES } from '../steps/maintenance/index.js';
import { recreated } from '../steps/maintenance/perform.js';
import { windowOf } from '../steps/maintenance/window.js';
import { endPreview, previewUpdate } from '../steps/preview.js';
import type { Session, Viewing } from '../steps/session.js';
import { ended, type Procedure, type ProcedureResult } from './procedure.js';

/** Runbook, Procedure 5, in its phases: each may be a run of its own, or several are one. */
export const maintenance: Procedure = {
  name: 'maintenance',
  purpose: 'Pulls, rebuilds on fresh base images and recreates every service, one at a time, each verified; in phases.',
  interrupts: false,

  async preview(viewing: Viewing): Promise<ProcedureResult> {
    const { phases } = viewing.request.maintenance;
    for (const name of phases) {
      viewing.progress.info(`■ ${name}: ${MAINTENANCE_PHASES[name].says}`);
      viewing.recorder.note(`${name}: ${MAINTENANCE_PHASES[name].says}`);
    }
    if (!phases.includes('perform')) return ended('completed', `${phases.join(', ')}: nothing that runs is changed`);
    passGate(viewing, 'modified-files', modifiedFilesGate(viewing.opened));
    const planned = await previewUpdate(withFreshBases(viewing), 'maintenance', recreated);
    return ended('completed', await endPreview(viewing, planned));
  },

  perform: (session: Session): Promise<ProcedureResult> => carryOutPhases(session),

  thread: windowOf,
};
