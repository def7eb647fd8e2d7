import path from 'node:path';
import { failureOf, type ErrorCode } from '../model/errors.js';
import { lifetimeOf } from '../model/job.js';
import type { ObservedContainer } from '../model/service.js';
import { nothingToRestart, withoutResting } from '../steps/at-rest.js';
import { diskSpaceGate } from '../steps/gates/disk-space.js';
import { healthGate } from '../steps/gates/health.js';
import { passGate } from '../steps/gates/pass-gate.js';
import { observe } from '../steps/observe.js';
import { liveTarget } from '../steps/open-project.js';
import { planRestart, restartServices } from '../steps/restart.js';
import { recordIncident } from '../steps/record-incident.js';
import { findRootCause } from '../steps/root-cause.js';
import { requireNamedServices } from '../steps/require.js';
import type { Session, Viewing } from '../steps/session.js';
import { isStopped, startedAllTheSame } from '../steps/stopped.js';
import { describePreview } from '../steps/show-plan.js';
import { ended, type Procedure, type ProcedureResult } from './procedure.js';

const ENGINE_IS_GONE: ReadonlySet<ErrorCode> = new Set(['E_ENGINE_UNREACHABLE', 'E_ENGINE', 'E_DEADLINE']);

/**
 * Runbook, Procedure 4: the service is frozen. Captures what can be captured within bounds, then kills, removes and
 * starts it again from the release that was live. Does not wait behind another procedure: it interrupts it.
 */
export const emergency: Procedure = {
  name: 'emergency',
  purpose: 'Captures state, kills and removes the containers, and starts the live release afresh.',
  interrupts: true,

  /** An engine that does not answer is an incident too: people find it where they look for the others. */
  async cannotBegin(run, { code, message }): Promise<void> {
    const { services, projectName } = run.request;
    if (!ENGINE_IS_GONE.has(code)) return;
    // What Compose would call it, as far as that can be told without Compose.
    const { files, directory } = liveTarget(run.request);
    const project = projectName ?? path.basename(files[0] === undefined ? directory : path.dirname(files[0]));
    const headline = `the emergency restart did not begin: ${message}`;
    await recordIncident(
      { ...run, project },
      { outcome: code === 'E_ENGINE_UNREACHABLE' ? 'refused' : 'failed', headline },
      services,
      [],
    );
  },

  async preview(viewing: Viewing): Promise<ProcedureResult> {
    const names = await withoutResting(viewing, requireNamedServices(viewing));
    if (names.length === 0) return ended('completed', nothingToRestart(viewing.request.services));
    const services = await Promise.all(names.map((name) => planRestart(viewing, name, 'kill')));
    return ended('completed', describePreview(viewing, { procedure: 'emergency', preparation: [], services }));
  },

  async perform(session: Session): Promise<ProcedureResult> {
    const services = requireNamedServices(session);
    const before = new Map<string, readonly ObservedContainer[]>();
    const record = async (result: Pick<ProcedureResult, 'outcome' | 'headline'>): Promise<void> =>
      session.progress.group('Root cause', async () => {
        const causes = [...before].map(([service, containers]) => findRootCause(session, service, containers));
        await recordIncident(session, result, services, await Promise.all(causes));
      });
    try {
      // An emergency is not refused: what a gate finds is reported and passed.
      const disk = await diskSpaceGate(session, session.opened);
      passGate(session, 'disk-space', disk.kind === 'refuse' ? { kind: 'warn', detail: disk.error.message } : disk);
      const restarting = await withoutResting(session, services);
      if (restarting.length === 0) return ended('unchanged', nothingToRestart(services));
      for (const service of restarting) {
        const current = await observe(session.engine, session, session.project, service);
        before.set(service, current.containers);
        passGate(session, 'health', healthGate(service, current, lifetimeOf(session.opened.live, service)));
        passGate(session, 'stopped', startedAllTheSame(service, isStopped(current)));
      }
      const result = await restartServices(session, 'emergency', restarting, 'kill');
      await record(result);
      return result;
    } catch (error) {
      // The engine did not let it begin, or there is nothing to start: an incident as well. The run that
      // has the lock now records its own.
      const { code, message } = failureOf(error);
      const outcome = code === 'E_CANCELLED' ? 'cancelled' : 'failed';
      await record({ outcome, headline: `the emergency restart did not begin: ${message}` });
      throw error;
    }
  },
};
