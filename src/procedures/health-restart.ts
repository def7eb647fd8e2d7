import { asProcedureError } from '../model/errors.js';
import { lifetimeOf } from '../model/job.js';
import { nothingToRestart, withoutResting } from '../steps/at-rest.js';
import { healthGate } from '../steps/gates/health.js';
import { passGate } from '../steps/gates/pass-gate.js';
import { lookAtContainers } from '../steps/look-at-containers.js';
import { restartServices, planRestart } from '../steps/restart.js';
import { observe } from '../steps/observe.js';
import { selectServices } from '../steps/select-services.js';
import { servingOf } from '../steps/serving.js';
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
    const names = await toRestart(viewing);
    if (names.length === 0) return ended('completed', nothing(viewing));
    for (const name of names) await lookBefore(viewing, name);
    const services = await Promise.all(names.map((name) => planRestart(viewing, name, 'restart')));
    return ended('completed', describePreview(viewing, { procedure: 'health-restart', preparation: [], services }));
  },

  async perform(session: Session): Promise<ProcedureResult> {
    const services = await toRestart(session);
    if (services.length === 0) return ended('unchanged', nothing(session));
    await session.progress.group('Health, resource use and recent errors', async () => {
      for (const service of services) await lookBefore(session, service);
    });
    return restartServices(session, 'health-restart', services, 'restart');
  },
};

function nothing({ request }: Viewing): string {
  if (request.services.length > 0) return nothingToRestart(request.services);
  return 'no service is restarted: those that hold data are when `service` names them, jobs and stopped ones are not';
}

/** Why it is restarted is seen before, and not afterwards; what cannot be seen keeps nothing from being restarted. */
async function lookBefore(viewing: Viewing, service: string): Promise<void> {
  const current = await observe(viewing.engine, viewing, viewing.project, service);
  passGate(viewing, 'health', healthGate(service, current, lifetimeOf(viewing.opened.live, service)));
  try {
    const serving = await servingOf(viewing, service, current, { readyMs: 0, signal: viewing.signal });
    const problems = await lookAtContainers(viewing, service, current, { serving, when: ', before the restart' });
    for (const problem of problems) viewing.progress.warning(problem);
  } catch (error) {
    viewing.signal.throwIfAborted();
    viewing.progress.warning(
      `${service}: its resource use and its errors were not seen: ${asProcedureError(error).message}`,
    );
  }
}

/** A job that others wait for serves nobody: there is nothing of it to restart, whether it has ended or not. */
async function toRestart(viewing: Viewing): Promise<readonly string[]> {
  const { live } = viewing.opened;
  const serving = selectServices(viewing, live).filter((service) => lifetimeOf(live, service) !== 'ends');
  return withoutResting(viewing, await withoutStopped(viewing, serving));
}
