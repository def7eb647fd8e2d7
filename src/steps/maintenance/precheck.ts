import { failureOf, ProcedureError } from '../../model/errors.js';
import { formatDuration } from '../../model/units.js';
import { refuseBrokenNewer } from '../broken-backups.js';
import { runOnHost } from '../commands.js';
import { passBackupAge } from '../gates/index.js';
import { rollbackReleaseGate } from '../gates/rollback-release.js';
import { passGate } from '../gates/pass-gate.js';
import { observe } from '../observe.js';
import { prepare } from '../prepare.js';
import { servicesToDeploy } from '../select-services.js';
import type { Session } from '../session.js';
import { fetchWanted } from '../source.js';
import { withoutStopped } from '../stopped.js';
import type { WantedProject } from '../wanted.js';
import { sayWhoApproves } from './approval.js';
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
    const problems: ProcedureError[] = [];
    /** All of them are told: who has an hour wants to know everything that is missing. */
    const look = async <T>(what: string, check: () => Promise<T>): Promise<T | undefined> => {
      try {
        return await check();
      } catch (error) {
        const problem = failureOf(error);
        if (problem.code === 'E_CANCELLED') throw problem;
        session.progress.warning(`${what}: ${problem.message}`);
        problems.push(problem);
        return undefined;
      }
    };
    const approval = sayWhoApproves(session);
    const wanted = await session.progress.group('Fetch', () => look('fetch', () => fetchWanted(fresh)));
    const project = wanted?.project ?? session.opened.live;
    const services = await withoutStopped(fresh, await servicesToDeploy(fresh, project));
    await session.progress.group('Backups', async () => {
      for (const service of services) await look('backup', () => requireBackup(session, service));
    });
    if (wanted !== undefined) {
      await session.progress.group('Build and pull', () => look('build', () => prepare(fresh, wanted, services)));
      await session.progress.group('Tests', () => look('tests', () => runTests(session, wanted)));
    }
    for (const service of services) await look('rollback release', () => requireWayBack(session, service));
    await approval;
    await window.add('prechecked', {
      outcome: problems.length === 0 ? 'completed' : 'refused',
      services: [...services],
      issues: problems.map(({ message }) => session.redactor.text(message)),
    });
    if (problems.length === 0) return done(`${services.join(', ')}: ready for the maintenance`);
    throw notReady(problems);
  },
};

function notReady(problems: readonly ProcedureError[]): ProcedureError {
  const said = problems.map(({ message }) => message).join('; ');
  return new ProcedureError('E_GATE', `not ready for the maintenance: ${said}`, {
    next: [...new Set(problems.map(({ next }) => next))].join(' '),
    cause: problems[0],
    excerpt: problems.flatMap(({ excerpt }) => excerpt),
  });
}

/** The runbook's "verify rollback images exist": an hour before there is time to get one, and so it is no mere warning. */
async function requireWayBack(session: Session, service: string): Promise<void> {
  const current =
    session.candidates.get(service)?.current ?? (await observe(session.engine, session, session.project, service));
  const finding = await rollbackReleaseGate(session, { service, current });
  if (finding.kind !== 'warn') {
    passGate(session, 'rollback-release', finding);
    return;
  }
  const error = new ProcedureError('E_GATE', finding.detail, {
    next: `Bring a release of ${service} there that works: procedure rollback with rollback-to: git:COMMIT builds it again, code-update deploys a newer one. To go on without a way back: gates: rollback-release=warn, or force: true. Nothing was changed.`,
  });
  passGate(session, 'rollback-release', { kind: 'refuse', error });
}

/** Current by its age, and whole by reading all of it: a backup that cannot be opened is none. */
async function requireBackup(session: Session, service: string): Promise<void> {
  const { backups, project, request, signal } = session;
  const requireBackupMs = request.requireBackupMs ?? A_DAY_MS;
  // A backup that will be taken by and by is none that could be opened now.
  await passBackupAge({ ...session, request: { ...request, requireBackupMs, backupBefore: false } }, service);
  const all = await backups.list(request.backupDir, project, service);
  const newest = all.find(({ reason }) => reason !== 'safety');
  await refuseBrokenNewer(session, service, newest);
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
