import { ProcedureError } from '../model/errors.js';
import type { BackupManifest, DataPlace } from '../model/backup.js';
import type { ServicePlan } from '../operations/plan.js';
import { liveRelease } from '../model/release.js';
import { withData, type DataChange } from '../strategies/with-data.js';
import { checkWhole, requirePlaces, toolFor } from './backup-to-restore.js';
import { refuseBrokenNewer } from './broken-backups.js';
import type { Candidate, Current } from './candidate.js';
import { dataOf, type ServiceData } from './data-places.js';
import { inUseGate } from './gates/in-use.js';
import { passGate } from './gates/pass-gate.js';
import { restoreSpaceGate } from './gates/restore-space.js';
import { backupSpaceGate, planBackup, stopFor } from './plan-backup.js';
import { ranWith, withReleaseCommand } from './release-command.js';
import type { Viewing } from './session.js';

/**
 * What is done to the data of services that are changed: a backup first (`backup: before`), or the data of the release that
 * comes back (`with-data`). Whatever could be wrong with it is found out here, before anything is touched.
 * @param looking makes no container: which image the old data is deleted in stays open
 */
export async function withDataChanges(
  viewing: Viewing,
  candidates: readonly Candidate[],
  looking = false,
): Promise<readonly Candidate[]> {
  const changed: Candidate[] = [];
  for (const candidate of candidates) {
    const data = candidate.decision.kind === 'unchanged' ? undefined : await dataChange(viewing, candidate, looking);
    changed.push(withReleaseCommand(viewing, data === undefined ? candidate : { ...candidate, data }));
  }
  return changed;
}

async function dataChange(viewing: Viewing, candidate: Candidate, looking: boolean): Promise<DataChange | undefined> {
  const { request } = viewing;
  const { service, current } = candidate;
  if (request.procedure !== 'rollback') return backupFirst(viewing, service, current);
  if (request.withData) return dataOfRelease(viewing, candidate, looking);
  const first = await backupFirst(viewing, service, current);
  const data = await dataOf(viewing, service, current.containers);
  const notes = [
    ...(data === undefined ? [] : await newerNotes(viewing, candidate)),
    ...leftCommand(viewing, candidate),
  ];
  return { first: [], swap: [], ...first, notes: [...(first?.notes ?? []), ...notes] };
}

/** @returns the backup that is taken before a service is changed; undefined when none is wanted or there is no data */
export async function backupFirst(
  viewing: Viewing,
  service: string,
  current: Current,
): Promise<DataChange | undefined> {
  if (!viewing.request.backupBefore) return undefined;
  const data = await presentData(viewing, service, current);
  if (data === undefined) return undefined;
  const space = await backupSpaceGate(viewing, data);
  if (space.kind === 'refuse' && viewing.request.procedure === 'emergency') {
    // An emergency is not refused.
    passGate(viewing, 'backup-space', { kind: 'warn', detail: `${space.error.message}: there is no backup of it` });
    return undefined;
  }
  passGate(viewing, 'backup-space', space);
  const release = current.release ?? liveRelease(current.history);
  const { operations, notes } = planBackup(viewing, data, { release: release?.id, reason: 'before' });
  return { first: operations, swap: [], notes };
}

/** Before the first start the compose file names volumes that nobody has made yet. */
async function presentData(
  viewing: Viewing,
  service: string,
  { containers }: Current,
): Promise<ServiceData | undefined> {
  const data = await dataOf(viewing, service, containers);
  if (data === undefined) {
    viewing.progress.info(`${service} has no data of its own: there is nothing to back up`);
    return undefined;
  }
  if (containers.length > 0) return data;
  const places: DataPlace[] = [];
  for (const place of data.places) {
    if (place.kind !== 'volume' || (await viewing.data.hasVolume(place.source))) places.push(place);
  }
  if (places.length > 0) return { ...data, places };
  viewing.progress.info(`${service} has no data yet: there is nothing to back up`);
  return undefined;
}

/** @returns the plan of a service with what is done to its data first */
export function withBackup(plan: ServicePlan, data: DataChange | undefined): ServicePlan {
  if (data === undefined || plan.operations.length === 0) return plan;
  return { ...plan, notes: [...plan.notes, ...data.notes], operations: withData(plan.operations, data) };
}

async function dataOfRelease(viewing: Viewing, candidate: Candidate, looking: boolean): Promise<DataChange> {
  const { service, current, release } = candidate;
  const { backups, request, project } = viewing;
  const data = await dataOf(viewing, service, current.containers);
  const manifest = await tiedBackup(viewing, service, release.id);
  await refuseBrokenNewer(viewing, service, manifest, (broken) => broken.manifest?.release === release.id);
  if (data === undefined || manifest === undefined) throw await noTiedBackup(viewing, candidate);
  const places = requirePlaces(service, manifest, data.places);
  const folder = backups.folderOf(request.backupDir, project, service, manifest.id);
  await checkWhole(viewing, manifest, folder);
  passGate(viewing, 'data-in-use', inUseGate(service, data.others));
  passGate(viewing, 'restore-space', await restoreSpaceGate(viewing, manifest, places));
  passGate(viewing, 'backup-space', await backupSpaceGate(viewing, data));
  const tool = looking ? '' : await toolFor(viewing, service, current.containers);
  return {
    first: [],
    swap: swap(viewing, { data, current, manifest, places, folder, tool }),
    notes: [...notes(manifest), ...leftCommand(viewing, candidate, 'restored')],
  };
}

function swap(
  viewing: Viewing,
  {
    data,
    current,
    manifest,
    places,
    folder,
    tool,
  }: {
    readonly data: ServiceData;
    readonly current: Current;
    readonly manifest: BackupManifest;
    readonly places: ServiceData['places'];
    readonly folder: string;
    readonly tool: string;
  },
): DataChange['swap'] {
  const release = (current.release ?? liveRelease(current.history))?.id;
  const { service } = data;
  const safety = planBackup(viewing, { ...data, places }, { release, reason: 'safety', still: true });
  return [
    { kind: 'freeze-data', ...stopFor(data) },
    ...safety.operations,
    {
      kind: 'restore-data',
      service,
      backup: manifest.id,
      folder,
      places,
      tool,
      safety: { backup: safety.id, folder: safety.folder },
    },
  ];
}

function notes({ id, at, release }: BackupManifest): readonly string[] {
  return [
    `with-data: its data becomes that of backup ${id}, taken at ${at} while release ${release ?? ''} ran. What was written since is backed up first, and comes back if this fails.`,
  ];
}

/** The newest backup that was taken while a release ran: its data as it was last. */
async function tiedBackup(viewing: Viewing, service: string, release: string): Promise<BackupManifest | undefined> {
  const { backups, request, project } = viewing;
  const all = await backups.list(request.backupDir, project, service);
  return all.find((one) => one.release === release && one.project === project && one.service === service);
}

async function noTiedBackup(viewing: Viewing, { service, release }: Candidate): Promise<ProcedureError> {
  const { request, ledger } = viewing;
  const records = (await ledger.backupRecords(service)).filter((one) => one.release === release.id);
  const gone = new Set(records.flatMap(({ kind, backup }) => (kind === 'deleted' ? [backup] : [])));
  const elsewhere = records.findLast(({ backup }) => !gone.has(backup));
  const hint =
    elsewhere === undefined
      ? 'The ledger knows of none either: without with-data the code alone goes back.'
      : `The ledger knows ${elsewhere.directory} on ${elsewhere.host}: bring it here, or give its backup-dir.`;
  return new ProcedureError(
    'E_BACKUP',
    `There is no backup of ${service} in ${request.backupDir} that was taken while release ${release.id} ran`,
    { next: `${hint} Nothing was changed.` },
  );
}

/** What ran once with a release that is left. */
function leftCommand(
  viewing: Viewing,
  { current, release, service }: Candidate,
  data: 'stays' | 'restored' = 'stays',
): readonly string[] {
  const left = ranWith(current.release?.id === release.id ? undefined : current.release, data);
  for (const note of left) viewing.recorder.note(note, service);
  viewing.recorder.nextSteps.push(...left);
  return left;
}

/** Code that goes back meets data that went on. */
async function newerNotes(viewing: Viewing, { service, current, release }: Candidate): Promise<readonly string[]> {
  const before = current.release;
  if (before === undefined || before.id <= release.id) return [];
  const tied = await tiedBackup(viewing, service, release.id);
  const since = current.history.events.find((event) => event.kind === 'live' && event.release === before.id)?.at;
  const way =
    tied === undefined
      ? `There is no backup of the time when ${release.id} ran.`
      : `with-data: true brings backup ${tied.id} of ${tied.at} back as well.`;
  const note = `Its data stays, and is newer than the code that comes back: release ${before.id} has written to it since ${since ?? before.createdAt}. ${way}`;
  viewing.recorder.note(note, service);
  return [note];
}
