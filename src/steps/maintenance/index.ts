import type { Phase } from '../../model/maintenance.js';
import { isGreen } from '../../model/outcome.js';
import type { Session } from '../session.js';
import { announce } from './announce.js';
import { complete } from './complete.js';
import { perform } from './perform.js';
import { done, type MaintenancePhase, type PhaseResult } from './phase.js';
import { precheck } from './precheck.js';
import { verify } from './verify.js';
import { Window } from './window.js';

/** Every phase, by its name. */
export const MAINTENANCE_PHASES: Readonly<Record<Phase, MaintenancePhase>> = {
  announce,
  precheck,
  perform,
  verify,
  complete,
};

/** Carries the phases out that were asked for, in order, and ends at the first that does not go well. */
export async function carryOutPhases(session: Session): Promise<PhaseResult> {
  const { phases } = session.request.maintenance;
  const window = await Window.of(session);
  const results: PhaseResult[] = [];
  for (const name of phases) {
    session.progress.info(`■ maintenance: ${name}`);
    const result = await MAINTENANCE_PHASES[name].run(session, window);
    results.push(result);
    if (!isGreen(result.outcome)) break;
  }
  return summarize(results);
}

/** What runs is what `perform` says; the other phases change nothing of it. */
function summarize(results: readonly PhaseResult[]): PhaseResult {
  const last = results.at(-1) ?? done('no phase was asked for');
  const performed = results.find(
    ({ outcome, changed }) => changed || outcome === 'deployed' || outcome === 'unchanged',
  );
  if (performed === undefined || performed === last || !isGreen(last.outcome)) return last;
  return { ...performed, headline: [performed.headline, last.headline].join('; ') };
}
