import { asProcedureError, ProcedureError } from '../../model/errors.js';
import { formatDuration } from '../../model/units.js';
import { runOnHost } from '../commands.js';
import { passBackupAge } from '../gates/index.js';
import { rollbackReleaseGate } from '../gates/rollback-release.js';
import { passGate } from '../gates/pass-gate.js';
import { prepare } from '../prepare.js';
import { servicesToDeploy } from '../select-services.js';
import type { Session } from '../session.js';
import { fetchWanted } from '../source.js';
import { withoutStopped } from '../stopped.js';
import type { WantedProject } from '../wanted.js';
import { withFreshBases } from './fresh-bases.js';
import { done, type MaintenancePhase } from './phase.js';

/** How old a backup may be where `require-backup` says nothing: the runbook's "current". */
const A_DAY_MS = 86_400_000;

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
    const look = async (what: string, check: () => Promise<void>): Promise<void> => {
      try {
        await check();
      } catch (error) {
        const problem = asProcedureError(error);
        session.progress.warning(`${what}: ${problem.message}`);
        problems.push(problem);
      }
    };
    await session.progress.group('Backups', async () => {
      for (const service of services) await look('backup', () => requireBackup(session, service));
    });
    await session.progress.group('Build and pull', () => prepare(fresh, wanted, services));
    await session.progress.group('Tests', () => look('tests', () => runTests(session, wanted)));
    for (const candidate of services.flatMap((service) => session.candidates.get(service) ?? [])) {
      await look('rollback release', async () =>
        passGate(session, 'rollback-release', await rollbackReleaseGate(session, candidate)),
      );
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
async function requireBackup(session: Session, service: string): Promise<void> {
  const { backups, project, request, signal } = session;
  const requireBackupMs = request.requireBackupMs ?? A_DAY_MS;
  // A backup that will be taken by and by is none that could be opened now.
  await passBackupAge({ ...session, request: { ...request, requireBackupMs, backupBefore: false } }, service);
  const [newest] = await backups.list(request.backupDir, project, service);
  if (newest === undefined) return;
  await backups.check(backups.folderOf(request.backupDir, project, service, newest.id), signal);
  session.progress.info(`  ✓ ${service}: backup ${newest.id} was read to its end`);
}

/** The runbook's "ensure latest code is tested": where it was built, and not where the live files are. */
async function runTests(session: Session, { buildDirectory, label }: WantedProject): Promise<void> {
  const { testCommand } = session.request;
  if (testCommand === undefined) {
    session.progress.warning('no test-command is given: the code was built, not tested');
    return;
  }
  const environment = { ROLLING_RESTART_PROJECT: session.project };
  const options = { name: 'test-command', command: testCommand, directory: buildDirectory, environment };
  const { durationMs } = await runOnHost(session, options, session.signal);
  session.progress.info(`  ✓ test-command: ${label} is green in ${formatDuration(durationMs)}`);
}
