import { ProcedureError } from '../../model/errors.js';
import { formatDuration } from '../../model/units.js';
import type { Viewing } from '../session.js';
import type { GateFinding } from './pass-gate.js';

/** What the gate looks at: the backups of a service on this host. */
type Looking = Pick<Viewing, 'backups' | 'clock' | 'project'> & {
  readonly request: Pick<Viewing['request'], 'requireBackupMs' | 'backupDir' | 'backupBefore'>;
};

/**
 * Runbook: verify that backups are current. By the manifests; that an archive is whole was seen when it was taken, and is
 * seen again before it is restored.
 */
export async function backupAgeGate(
  { backups, clock, project, request }: Looking,
  service: string,
): Promise<GateFinding> {
  const { requireBackupMs: youngest, backupDir, backupBefore } = request;
  if (youngest === undefined) return { kind: 'pass', detail: 'no backup is asked for' };
  if (backupBefore) return { kind: 'pass', detail: `${service}: a backup is taken before it is changed` };
  const now = clock.now();
  // What was there before a restore is the safety of that, and no backup of what is there now.
  const all = (await backups.list(backupDir, project, service)).filter(({ reason }) => reason !== 'safety');
  const last = all.reduce<number | undefined>((newest, { at }) => Math.max(newest ?? 0, Date.parse(at)), undefined);
  if (last !== undefined && now - last <= youngest) {
    return { kind: 'pass', detail: `${service}: the last backup is ${formatDuration(Math.max(0, now - last))} old` };
  }
  const what =
    last === undefined
      ? `There is no backup of ${service} in ${backupDir}`
      : `The last backup of ${service} is ${formatDuration(now - last)} old, and ${formatDuration(youngest)} are asked for`;
  return {
    kind: 'refuse',
    error: new ProcedureError('E_GATE', what, {
      next: 'Take one with procedure backup, set backup: before, or set gates: backup-age=warn or force: true. Nothing was changed.',
    }),
  };
}
