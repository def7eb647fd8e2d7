import type { ProcedureName } from '../../model/request.js';
import type { Candidate } from '../candidate.js';
import { passGate, URGENT, type GateFinding } from './pass-gate.js';
import { dataOf } from '../data-places.js';
import type { WantsPorts } from '../port-holder.js';
import type { Session, Viewing } from '../session.js';
import { activeJobsGate } from './active-jobs.js';
import { backupAgeGate } from './backup-age.js';
import { passCreatable } from './creatable.js';
import { downgradeGate } from './downgrade.js';
import { peakHoursGate } from './peak-hours.js';
import { portsGate } from './ports.js';
import { rollbackReleaseGate } from './rollback-release.js';
import { stagingGate } from './staging.js';

/** Procedures that restart something, and can wait. */
const RESTARTING: ReadonlySet<ProcedureName> = new Set([
  'code-update',
  'config-change',
  'maintenance',
  'health-restart',
  'full-restart',
]);

/** Asked before anything is fetched or built. @throws ProcedureError E_GATE */
export function passOpeningGates(viewing: Viewing): void {
  const { procedure } = viewing.request;
  if (!RESTARTING.has(procedure) && !URGENT.has(procedure)) return;
  // A maintenance is announced and prepared in the day, and carried out at night.
  if (procedure === 'maintenance' && !viewing.request.maintenance.phases.includes('perform')) return;
  pass(viewing, 'peak-hours', peakHoursGate(viewing));
}

/** Asked as soon as the commit is known. @throws ProcedureError E_GATE */
export async function passCommitGates(viewing: Viewing, commit: string): Promise<void> {
  const { procedure, requireEnvironment } = viewing.request;
  if (procedure === 'code-update' && !isOff(viewing, 'downgrade'))
    pass(viewing, 'downgrade', await downgradeGate(viewing, viewing.opened, commit));
  if (requireEnvironment !== undefined && !isOff(viewing, 'staging'))
    pass(viewing, 'staging', await stagingGate(viewing, commit));
}

/** Asked of a plan, also by a dry run: they need nothing built, and make nothing. @throws ProcedureError E_GATE */
export async function passPlanGates(viewing: Viewing, candidates: readonly Candidate[]): Promise<void> {
  for (const candidate of candidates) {
    if (!isOff(viewing, 'ports')) pass(viewing, 'ports', await portsGate(viewing, candidate));
    if (!isOff(viewing, 'rollback-release')) {
      pass(viewing, 'rollback-release', await rollbackReleaseGate(viewing, candidate));
    }
    await passBackupAge(viewing, candidate.service);
  }
}

/** Asked when all is ready, right before what runs is touched. @throws ProcedureError E_GATE */
export async function passLastGates(session: Session, candidates: readonly Candidate[]): Promise<void> {
  await passPlanGates(session, candidates);
  for (const candidate of candidates) await passCreatable(session, candidate);
  await passActiveJobs(session);
}

/**
 * For a service that is started in another way than by a deploy, and only where a port may be freed for it: without that,
 * who has the port is found by the diagnosis.
 * @throws ProcedureError E_GATE
 */
export async function passPorts(viewing: Viewing, wants: WantsPorts): Promise<void> {
  if (!viewing.request.remedies.includes('free-port') || isOff(viewing, 'ports')) return;
  pass(viewing, 'ports', await portsGate(viewing, wants));
}

/** @throws ProcedureError E_GATE */
export async function passBackupAge(viewing: Viewing, service: string): Promise<void> {
  if (viewing.request.requireBackupMs === undefined || isOff(viewing, 'backup-age')) return;
  const containers = await viewing.engine.containers(viewing.project, service);
  const data = containers.length === 0 ? undefined : await dataOf(viewing, service, containers);
  const nothing = { kind: 'pass', detail: `${service} has no data that could be lost` } as const;
  pass(viewing, 'backup-age', data === undefined ? nothing : await backupAgeGate(viewing, service));
}

/** @throws ProcedureError E_GATE */
export async function passActiveJobs(session: Session): Promise<void> {
  const { procedure, activeJobsTimeoutMs } = session.request;
  if (session.request.activeJobsCommand === undefined || isOff(session, 'active-jobs')) return;
  const waits = URGENT.has(procedure) ? 0 : activeJobsTimeoutMs;
  pass(session, 'active-jobs', await activeJobsGate(session, waits, session.signal));
}

function isOff({ request }: Viewing, gate: string): boolean {
  return request.gates[gate] === 'off';
}

function pass(viewing: Viewing, gate: string, finding: GateFinding): void {
  const reported =
    finding.kind === 'refuse' && URGENT.has(viewing.request.procedure)
      ? { kind: 'warn' as const, detail: `${finding.error.message}: ${viewing.request.procedure} goes on all the same` }
      : finding;
  passGate(viewing, gate, reported);
}
