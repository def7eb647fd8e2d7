import { asProcedureError, ProcedureError } from '../../model/errors.js';
import type { BackupManifest } from '../../model/backup.js';
import { formatDuration } from '../../model/units.js';
import { runOnHost } from '../commands.js';
import { dataOf } from '../data-places.js';
import { rollbackReleaseGate } from '../gates/rollback-release.js';
import { passGate, type GateFinding } from '../gates/pass-gate.js';
import { prepare } from '../prepare.js';
import { servicesToDeploy } from '../select-services.js';
import type { Session } from '../session.js';
import { fetchWanted } from '../source.js';
import { withoutStopped } from '../stopped.js';
import type { WantedProject } from '../wanted.js';
import { withFreshBases } from './fresh-bases.js';
import { done, type MaintenancePhase } from './phase.js';

/** T-1h: what the maintenance will need is looked at while there is still time to get it. Nothing that runs is touched. */
export const precheck: MaintenancePhase = {
  name: 'precheck',
  says: 'opens the newest backup of each service, builds and tests what will be deployed, and looks for what could come back',
  async run(session, window) {
    const fresh = withFreshBases(session);
    const wanted = await session.progress.group('Fetch', () => fetchWanted(fresh));
    const services = await withoutStopped(fresh, await servicesToDeploy(fresh, wanted.project));
    const problems: ProcedureError[] = [];
    /** All of them are told: who has an hour wants to know everything that is missing. */
    const look = async (gate: string, find: () => Promise<GateFinding>): Promise<void> => {
      try {
        passGate(session, gate, await find());
      } catch (error) {
        const problem = asProcedureError(error);
        session.progress.warning(`${gate}: ${problem.message}`);
        problems.push(problem);
      }
    };
    await session.progress.group('Backups', async () => {
      for (const service of services) await look('backup-current', () => backupFinding(session, service));
    });
    await session.progress.group('Build and pull', () => prepare(fresh, wanted, services));
    await session.progress.group('Tests', () => look('tests', () => testFinding(session, wanted)));
    for (const candidate of services.flatMap((service) => session.candidates.get(service) ?? [])) {
      await look('rollback-release', () => rollbackReleaseGate(session, candidate));
    }
    const [first] = problems;
    await window.add('prechecked', {
      outcome: first === undefined ? 'completed' : 'refused',
      services: [...services],
      issues: problems.map(({ message }) => session.redactor.text(message)),
    });
    if (first === undefined) return done(`${services.join(', ')}: ready for the maintenance`);
    if (problems.length === 1) throw first;
    throw new ProcedureError(
      'E_GATE',
      `not ready for the maintenance: ${problems.map(({ message }) => message).join('; ')}`,
      {
        next: problems.map(({ next }) => next).join(' '),
        cause: first,
      },
    );
  },
};

/** Current by its age, and whole by reading all of it: a backup that cannot be opened is none. */
async function backupFinding(session: Session, service: string): Promise<GateFinding> {
  const { backups, project, request, signal } = session;
  const containers = await session.engine.containers(project, service);
  if ((await dataOf(session, service, containers)) === undefined) {
    return { kind: 'pass', detail: `${service} has no data that could be lost` };
  }
  const [newest] = await backups.list(request.backupDir, project, service);
  const refuse = (what: string): GateFinding => ({
    kind: 'refuse',
    error: new ProcedureError('E_GATE', what, {
      next: `Take a backup of ${service} with procedure backup. Nothing was changed.`,
    }),
  });
  if (newest === undefined) return refuse(`There is no backup of ${service} in ${request.backupDir}`);
  const ageMs = ageOf(newest);
  const { backupAgeMs } = request.maintenance;
  if (ageMs > backupAgeMs) {
    return refuse(
      `The newest backup of ${service} is ${formatDuration(ageMs)} old, older than ${formatDuration(backupAgeMs)}`,
    );
  }
  await backups.check(backups.folderOf(request.backupDir, project, service, newest.id), signal);
  return {
    kind: 'pass',
    detail: `${service}: backup ${newest.id} is ${formatDuration(ageMs)} old, and was read to its end`,
  };
}

function ageOf({ at }: BackupManifest): number {
  return Math.max(0, Date.now() - Date.parse(at));
}

/** The runbook's "ensure latest code is tested": where it was built, and not where the live files are. */
async function testFinding(session: Session, { buildDirectory, label }: WantedProject): Promise<GateFinding> {
  const { testCommand } = session.request;
  if (testCommand === undefined)
    return { kind: 'warn', detail: 'no test-command is given: the code was built, not tested' };
  const environment = { ROLLING_RESTART_PROJECT: session.project };
  const options = { name: 'test-command', command: testCommand, directory: buildDirectory, environment };
  const { durationMs } = await runOnHost(session, options, session.signal);
  return { kind: 'pass', detail: `${label}: green in ${formatDuration(durationMs)}` };
}
