import { CONSISTENCIES, type Consistency } from '../model/backup-policy.js';
import type { ProcedureName, Request } from '../model/request.js';
import type { InputReader } from './input-reader.js';

type BackupInputs = Pick<
  Request,
  | 'backupBefore'
  | 'restoreFrom'
  | 'backupPaths'
  | 'backupConsistency'
  | 'quiesceCommand'
  | 'resumeCommand'
  | 'keepBackups'
  | 'maxBackupAgeMs'
>;

/** Ten years. */
const LONGEST_AGE_MS = 3_660 * 86_400_000;

/** Reads what is said about backups. */
export function readBackup(input: InputReader, procedure: ProcedureName | undefined): BackupInputs {
  const backup = input.text('backup');
  const restoring = procedure === 'restore';
  if (restoring && backup === undefined) {
    input.problem('backup', 'is missing; give latest, or the id of a backup (procedure check lists them)');
  }
  if (restoring && (backup === 'before' || backup === 'off')) {
    input.problem('backup', `names the backup to restore here: latest or an id; what there is now is backed up anyway`);
  }
  if (!restoring && backup !== undefined && backup !== 'before' && backup !== 'off') {
    input.problem('backup', `"${backup}" is neither before nor off; a backup is restored by procedure restore`);
  }
  const paths = input.list('backup-paths');
  for (const path of paths) {
    if (!path.startsWith('/'))
      input.problem('backup-paths', `"${path}" is not a path in the container, such as /app/uploads`);
  }
  const consistency = readConsistency(input);
  const quiesceCommand = input.text('quiesce-command');
  if (quiesceCommand !== undefined && consistency !== undefined && consistency !== 'quiesce') {
    input.problem('quiesce-command', `is not run with \`backup-consistency: ${consistency}\``);
  }
  return {
    backupBefore: !restoring && backup === 'before',
    restoreFrom: restoring ? backup : undefined,
    backupPaths: paths,
    backupConsistency: consistency ?? (quiesceCommand === undefined ? undefined : 'quiesce'),
    quiesceCommand,
    resumeCommand: input.text('resume-command'),
    keepBackups: input.count('backup-keep', 1, 1_000),
    maxBackupAgeMs: input.duration('backup-max-age', 60_000, LONGEST_AGE_MS),
  };
}

function readConsistency(input: InputReader): Consistency | undefined {
  return input.text('backup-consistency') === undefined ? undefined : input.choice('backup-consistency', CONSISTENCIES);
}
