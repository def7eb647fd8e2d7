import { failureOf } from '../../model/errors.js';
import { lifetimeOf } from '../../model/job.js';
import { isGreen } from '../../model/outcome.js';
import type { Candidate } from '../candidate.js';
import { diskSpaceGate } from '../gates/disk-space.js';
import { healthGate } from '../gates/health.js';
import { modifiedFilesGate } from '../gates/modified-files.js';
import { passGate } from '../gates/pass-gate.js';
import { observe } from '../observe.js';
import { prepare } from '../prepare.js';
import { rollOutAll } from '../roll-out-all.js';
import { servicesToDeploy } from '../select-services.js';
import type { Session } from '../session.js';
import { isAtRest, withRestart } from '../show-plan.js';
import { fetchWanted } from '../source.js';
import { withoutStopped } from '../stopped.js';
import { withFreshBases } from './fresh-bases.js';
import type { MaintenancePhase, PhaseResult } from './phase.js';
import { isCalled, sayNotTold, sayPageStays, tellPage } from './status-page.js';
import type { Window } from './window.js';

/**
 * T-0: fresh base images, everything recreated in dependency order one at a time, each verified and watched. What is
 * unchanged is recreated as well: that is what a maintenance window is for.
 */
export const perform: MaintenancePhase = {
  name: 'perform',
  says: 'sets the status page to maintenance, pulls and builds, and recreates every service in dependency order, one at a time',
  async run(session, window) {
    await session.progress.group('Gates', async () => {
      passGate(session, 'modified-files', modifiedFilesGate(session.opened));
      passGate(session, 'disk-space', await diskSpaceGate(session, session.opened));
    });
    const fresh = withFreshBases(session);
    const wanted = await session.progress.group('Fetch', () => fetchWanted(fresh));
    const services = await withoutStopped(fresh, await servicesToDeploy(fresh, wanted.project));
    await session.progress.group('Build and pull', async () => {
      for (const service of services) {
        const seen = await observe(session.engine, session, session.project, service);
        passGate(session, 'health', healthGate(service, seen, lifetimeOf(wanted.project, service)));
      }
      await prepare(fresh, wanted, services);
    });
    const candidates = services.flatMap((service) => session.candidates.get(service) ?? []);
    return inWindow(session, window, services, () => rollOutAll(session, 'maintenance', candidates.map(recreated)));
  },
};

/** The page says maintenance only while something is really done: a build that fails never gets there. */
async function inWindow(
  session: Session,
  window: Window,
  services: readonly string[],
  work: () => Promise<PhaseResult>,
): Promise<PhaseResult> {
  const news = { kind: 'maintenance' } as const;
  const before = (await window.read())?.page;
  // Written down before it is told: when this run is killed in between, the next one says that somebody has to look.
  await window.add('performing', {
    page: isCalled(session, news) ? news.kind : undefined,
    services: [...services],
    plannedMs: session.request.maintenance.durationMs,
  });
  const told = await tellPage(session, news);
  sayNotTold(session, told, 'that there is maintenance', 'Users saw nothing of it there while the work went on.');
  /** A page that did not take it says what it said. */
  const page = told.problem === undefined ? told.page : (before ?? 'operational');
  const end = async (outcome: PhaseResult['outcome'], changed: boolean, issues: readonly string[]): Promise<void> => {
    const unharmed = !isGreen(outcome) && !changed;
    const back = unharmed ? await tellPage(session, { kind: 'operational' }) : undefined;
    await window.add('performed', {
      outcome,
      page: back?.page ?? (told.problem === undefined ? undefined : page),
      services: [...services],
      issues: issues.map((issue) => session.redactor.text(issue)),
    });
    if (page !== 'maintenance' || isGreen(outcome)) return;
    if (changed) sayPageStays(session);
    else if (back?.problem !== undefined) sayPageStays(session, back.problem);
  };
  const signs = (): readonly string[] =>
    session.recorder.warnings.map(({ service, message }) => `${service}: ${message}`);
  let result: PhaseResult;
  try {
    result = await work();
  } catch (error) {
    const failure = failureOf(error);
    const refused = failure.code === 'E_GATE' || failure.code === 'E_WOULD_LOSE';
    await end(refused ? 'refused' : 'failed', session.recorder.changed, [failure.message]);
    throw error;
  }
  await end(result.outcome, result.changed, [
    ...signs(),
    ...(result.error === undefined ? [] : [result.error.message]),
  ]);
  return result;
}

/** An unchanged job that others wait for stays as it is, also while it runs; so does what has nothing to run. */
export function recreated(candidate: Candidate): Candidate {
  const stays = candidate.lifetime === 'ends' || isAtRest(candidate);
  if (candidate.decision.kind !== 'unchanged' || stays) return candidate;
  return withRestart(candidate, 'maintenance recreates what is unchanged as well');
}
