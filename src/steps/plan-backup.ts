import { randomBytes } from 'node:crypto';
import { backupSize, expectedSize, type BackupId, type BackupReason } from '../model/backup.js';
import { ProcedureError } from '../model/errors.js';
import type { Freeze } from '../operations/freeze-data.js';
import type { Operation } from '../operations/operation.js';
import { newReleaseId, type ReleaseId } from '../model/release.js';
import { formatSize } from '../model/units.js';
import type { ServiceData } from './data-places.js';
import type { GateFinding } from './gates/pass-gate.js';
import type { Viewing } from './session.js';

/** A backup that is to be taken. */
export interface PlannedBackup {
  readonly id: BackupId;
  readonly folder: string;
  readonly operations: readonly Operation[];
  /** What is backed up, and what that costs; one sentence each. */
  readonly notes: readonly string[];
}

/** @param options.still nothing of the service runs by then: nothing has to be kept from changing */
export function planBackup(
  viewing: Viewing,
  data: ServiceData,
  options: {
    readonly release: ReleaseId | undefined;
    readonly reason: BackupReason;
    readonly still?: boolean;
  },
): PlannedBackup {
  const { service, places } = data;
  const { release, reason, still = false } = options;
  const id = newReleaseId(new Date(viewing.clock.now()), randomBytes(3).toString('hex'));
  const folder = viewing.backups.folderOf(viewing.request.backupDir, viewing.project, service, id);
  const freeze = still ? undefined : freezeFor(data);
  const consistency = still ? 'stop' : data.how;
  return {
    id,
    folder,
    operations: [
      ...(freeze === undefined ? [] : [{ kind: 'freeze-data' as const, ...freeze }]),
      { kind: 'save-data', service, backup: id, folder, release, reason, consistency, places },
      ...(freeze === undefined ? [] : [{ kind: 'thaw-data' as const, ...freeze }]),
      { kind: 'keep-backup', service, backup: id, folder },
    ],
    notes: notes(data, freeze, still),
  };
}

/** @returns what keeps the data from changing; undefined when nothing runs that could change it */
function freezeFor({
  service,
  how,
  containers,
  others,
  quiesceCommand,
  resumeCommand,
}: ServiceData): Freeze | undefined {
  const running = containers.filter(({ state }) => state === 'running').map(({ id }) => id);
  const also = how === 'pause' ? others.map(({ id }) => id) : [];
  if (running.length + also.length === 0) return undefined;
  const commands = how === 'quiesce' ? { quiesceCommand, resumeCommand } : NO_COMMANDS;
  return { service, how, containers: [...running, ...also], ...commands };
}

const NO_COMMANDS = { quiesceCommand: undefined, resumeCommand: undefined } as const;

/** @returns what stops all containers of a service, so that its data can be replaced, and starts them again */
export function stopFor({ service, containers }: ServiceData): Freeze {
  return { service, how: 'stop', containers: containers.map(({ id }) => id), ...NO_COMMANDS };
}

function notes(data: ServiceData, freeze: Freeze | undefined, still: boolean): readonly string[] {
  const { service, places, others, how } = data;
  const what = places.map(({ kind, source, target }) => `${kind} ${source} (${target})`).join(', ');
  const names = others.map(({ name }) => name).join(', ');
  return [
    `Backed up: ${what}.`,
    ...(still ? [] : [freeze === undefined ? `Nothing of ${service} runs: its data stands still.` : COSTS[how]]),
    ...(others.length === 0 || still
      ? []
      : [
          how === 'pause'
            ? `${names} can write to the same data, and is paused with it.`
            : `${names} can write to the same data and goes on: what it writes meanwhile may be half in the backup.`,
        ]),
  ];
}

const COSTS = {
  pause:
    'Consistency pause: the containers are frozen while the data is read; requests wait, and none is refused. Docker calls one with a health check unhealthy until its next probe.',
  stop: 'Consistency stop: the containers are stopped while the data is read; requests fail meanwhile.',
  quiesce:
    'Consistency quiesce: quiesce-command makes the service write its data down and leave it while it is read. A run that is killed leaves resume-command to its recovery.',
} as const;

/** A backup that fills the disk helps nobody: what it will take is known from the volumes, and from the one before. */
export async function backupSpaceGate(viewing: Viewing, { service, places }: ServiceData): Promise<GateFinding> {
  const { request, backups, disks, project } = viewing;
  const volumes = places.flatMap(({ kind, source }) => (kind === 'volume' ? [source] : []));
  const [sizes, earlier, free] = await Promise.all([
    viewing.data.sizes(volumes, viewing.signal),
    backups.list(request.backupDir, project, service),
    disks.freeBytes(request.backupDir),
  ]);
  const known = volumes.flatMap((name) => sizes[name] ?? []);
  const dataBytes = known.length === 0 ? undefined : known.reduce((sum, size) => sum + size, 0);
  const wanted = expectedSize(dataBytes, earlier[0]);
  if (free === undefined) return { kind: 'warn', detail: `the disk of ${request.backupDir} cannot be seen from here` };
  const about = wanted === undefined ? 'a backup of unknown size' : `a backup of at most about ${formatSize(wanted)}`;
  const reserve = request.minFreeDiskBytes;
  if (free - (wanted ?? 0) >= reserve) {
    return { kind: 'pass', detail: `${formatSize(free)} free in ${request.backupDir} for ${about} of ${service}` };
  }
  const kept = earlier.reduce((sum, one) => sum + backupSize(one), 0);
  return {
    kind: 'refuse',
    error: new ProcedureError(
      'E_GATE',
      `Only ${formatSize(free)} are free in ${request.backupDir}, for ${about} of ${service} and ${formatSize(reserve)} that min-free-disk keeps`,
      {
        next: `Free space there (older backups of ${service} take ${formatSize(kept)}), or give another backup-dir. Nothing was changed.`,
      },
    ),
  };
}
