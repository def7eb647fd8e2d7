import { ProcedureError } from '../../model/errors.js';
import { summaryOf } from '../../model/maintenance.js';
import { formatDuration } from '../../model/units.js';
import { done, type MaintenancePhase } from './phase.js';
import { sayNotTold, sayPageStays, tellPage } from './status-page.js';

/** T+15min: how long it really took, what went wrong and what was done, computed from the records and not typed. */
export const complete: MaintenancePhase = {
  name: 'complete',
  says: 'closes the window: actual duration, issues and notes, computed from what was done',
  async run(session, window) {
    const known = await window.read();
    const summary = known === undefined ? undefined : summaryOf(known);
    if (known === undefined || summary === undefined) {
      throw new ProcedureError('E_GATE', 'No maintenance has been performed that could be completed', {
        next: 'Run procedure maintenance with phase: perform first. Nothing was changed.',
      });
    }
    const { actualMs, issues, notes } = summary;
    const told = await tellPage(session, { kind: 'completed', actualMs, issues, notes });
    sayNotTold(session, told, 'how the window ended', 'Run phase: complete again, or write it there by hand.');
    if (known.page === 'maintenance') sayPageStays(session);
    session.recorder.findings.push({
      title: 'Maintenance window',
      columns: ['What', 'Result'],
      rows: [
        ['Actual duration', formatDuration(actualMs)],
        ['Issues', issues],
        ['Notes', notes],
      ],
    });
    await window.add('completed', { outcome: 'completed' });
    const headline = `maintenance of ${session.project} is complete after ${formatDuration(actualMs)}; issues: ${issues}`;
    return done(headline);
  },
};
