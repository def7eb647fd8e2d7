import { isOneShot } from '../model/service.js';
import { healthGate } from '../steps/gates/health.js';
import { passGate } from '../steps/gates/pass-gate.js';
import { restartServices, planRestart } from '../steps/restart.js';
import { observe } from '../steps/observe.js';
import { selectServices } from '../steps/select-services.js';
import type { Session, Viewing } from '../steps/session.js';
import { describePreview } from '../steps/show-plan.js';
import { withoutStopped } from '../steps/stopped.js';
import { ended, type Procedure, type ProcedureResult } from './procedure.js';

/**
 * Runbook, Procedure 1: the service is degraded; the same release is restarted gracefully, in the best way there is: without
 * a failed request behind a router, and in place where what the container's writable layer holds would be lost. A degraded service is what this is for: the health gate only warns.
 */
export const healthRestart: Procedure = {
  name: 'health-restart',
  purpose:
    'Captures state, restarts the same release in the best way there is, verifies and watches it; deploys nothing.',
  interrupts: false,

  async preview(viewing: Viewing): Promise<ProcedureResult> {
    const names = await withoutStopped(viewing, longRunning(viewing));
    const services = await Promise.all(names.map((name) => planRestart(viewing, name, 'restart')));
    return ended('completed', describePreview(viewing, { procedure: 'health-restart', preparation: [], services }));
  },

  async perform(session: Session): Promise<ProcedureResult> {
    const services = await withoutStopped(session, longRunning(session));
    for (const service of services) {
      passGate(
        session,
        'health',
        healthGate(service, await observe(session.engine, session, session.project, service)),
      );
    }
    return restartServices(session, 'health-restart', services, 'restart');
  },
};

/** A one-shot service has done its work: there is nothing of it to restart. */
function longRunning(viewing: Viewing): readonly string[] {
  const { live } = viewing.opened;
  return selectServices(viewing, live).filter((service) => !isOneShot(live, service));
}
