import { formatDuration } from '../../model/units.js';
import { noticeOf } from '../notify.js';
import { sayNotTold, tellPage, whyOf } from './status-page.js';
import { done, type MaintenancePhase } from './phase.js';

const A_DAY_MS = 86_400_000;

/** T-24h: the status page and the people who are told of runs know when it will be. */
export const announce: MaintenancePhase = {
  name: 'announce',
  says: 'tells the status page and the team when the maintenance will be',
  async run(session, window) {
    const { maintenance, services } = session.request;
    const { durationMs, impact } = maintenance;
    // Whoever does it in the same run does it now.
    const inMs = maintenance.phases.includes('perform') ? 0 : A_DAY_MS;
    const startsAt = maintenance.startsAt ?? new Date(session.clock.now() + inMs).toISOString();
    const why = whyOf(session);
    const headline = `maintenance of ${session.project} at ${startsAt}, about ${formatDuration(durationMs)}, impact ${impact}: ${why}`;
    session.notifier.send(noticeOf(session, { moment: 'announcement', project: session.project, services, headline }));
    const told = await tellPage(session, { kind: 'announced', startsAt, durationMs, impact });
    sayNotTold(session, told, 'of the window', 'Run phase: announce again, or announce it there by hand.');
    await window.add('announced', { startsAt, plannedMs: durationMs, services: [...services] });
    return done(`announced: ${headline}`);
  },
};
