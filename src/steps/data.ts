import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { asProcedureError, failureOf, ProcedureError } from '../model/errors.js';
import { backupSize } from '../model/backup.js';
import { compensationOf, type Operation, type OperationOf } from '../operations/operation.js';
import { formatDuration, formatSize } from '../model/units.js';
import type { FreezeGuard } from '../model/ports/data.js';
import { commandEnvironment, runOnHost } from './commands.js';
import type { Session } from './session.js';

/** Data takes the time that it takes, but no service stands still for longer. */
const FREEZE_LIMIT_MS = 6 * 3_600_000;
/** A run that hangs at the limit does not let anything go on itself. */
const GUARD_LIMIT_MS = FREEZE_LIMIT_MS + 60_000;

/** Carries out the operations on data, each a kind. */
export async function freezeData(
  session: Session,
  freeze: OperationOf<'freeze-data'>,
  signal: AbortSignal,
): Promise<void> {
  const { engine, data } = session;
  session.frozenAt.set(freeze.service, session.clock.monotonic());
  switch (freeze.how) {
    case 'pause':
      // One after the other would let the first wait for all.
      await Promise.all(freeze.containers.map((container) => data.pause(container)));
      return;
    case 'stop':
      await Promise.all(freeze.containers.map((container) => engine.stopContainer(container, signal)));
      return;
    case 'quiesce':
      await runCommand(session, freeze, 'quiesce-command', freeze.quiesceCommand, signal);
  }
}

export async function thawData(session: Session, freeze: OperationOf<'thaw-data'>, signal: AbortSignal): Promise<void> {
  const { engine, data } = session;
  const began = session.frozenAt.get(freeze.service);
  session.frozenAt.delete(freeze.service);
  switch (freeze.how) {
    case 'pause': {
      const paused = await Promise.all(freeze.containers.map((container) => data.unpause(container)));
      if (began !== undefined && paused.includes(false)) throw wentOn(freeze.service);
      break;
    }
    case 'stop':
      await Promise.all(freeze.containers.map((container) => engine.startContainer(container)));
      break;
    case 'quiesce':
      await runCommand(session, freeze, 'resume-command', freeze.resumeCommand, signal);
  }
  if (began !== undefined) {
    session.progress.info(`  its data stood still for ${formatDuration(session.clock.monotonic() - began)}`);
  }
}

function wentOn(service: string): ProcedureError {
  return new ProcedureError(
    'E_BACKUP',
    `${service} went on while its data was read: this backup may hold half a change`,
    {
      next: 'Find out what unpaused or restarted it, then back it up again.',
    },
  );
}

async function runCommand(
  session: Session,
  { service, containers }: { readonly service: string; readonly containers: readonly string[] },
  name: string,
  command: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (command === undefined) return;
  const [first] = containers;
  const container = first === undefined ? undefined : await session.engine.container(first);
  const environment = commandEnvironment(session.project, service, undefined, container);
  await runOnHost(session, { name, command, directory: session.request.workingDirectory, environment }, signal);
}

export async function saveData(
  session: Session,
  operation: OperationOf<'save-data'>,
  signal: AbortSignal,
): Promise<void> {
  const { service, backup: id, folder, places, release, reason, consistency } = operation;
  const { backups, data, project, request, invocation } = session;
  await backups.removePartial(request.backupDir, project, service);
  const writer = await backups.begin(folder);
  const began = session.clock.monotonic();
  const late = session.clock.deadline(FREEZE_LIMIT_MS);
  const limit = AbortSignal.any([signal, late]);
  try {
    const opened = await data.open(project, places);
    try {
      for (const place of places) await writer.add(place, await opened.read(place, limit), limit);
    } finally {
      await opened.close();
    }
  } catch (error) {
    await writer.discard();
    if (!late.aborted) throw error;
    throw new ProcedureError(
      'E_DEADLINE',
      `${service}: its data was not read within ${formatDuration(FREEZE_LIMIT_MS)}`,
      {
        next: 'Look whether its disk or that of backup-dir is slow, then back it up again.',
        cause: error,
      },
    );
  }
  session.savings.set(id, {
    writer,
    about: {
      schema: 'rolling-restart/backup/v1',
      id,
      project,
      service,
      release,
      reason,
      consistency,
      procedure: request.procedure,
      run: invocation.runId,
      by: invocation.actor,
      host: invocation.host,
      at: new Date(session.clock.now()).toISOString(),
      frozenMs: Math.round(session.clock.monotonic() - began),
    },
  });
}

export async function keepBackup(
  session: Session,
  { backup: id, service, folder }: OperationOf<'keep-backup'>,
  signal: AbortSignal,
): Promise<void> {
  const saving = session.savings.get(id);
  if (saving === undefined) {
    throw new ProcedureError('E_INTERNAL', `backup ${id} was not written`, { next: 'Please report this.' });
  }
  const manifest = await saving.writer.keep(saving.about, signal);
  session.savings.delete(id);
  session.saved.push(manifest);
  const [sizeBytes, tarBytes] = [
    backupSize(manifest),
    manifest.entries.reduce((sum, { tarBytes: all }) => sum + all, 0),
  ];
  session.progress.info(`  ${formatSize(sizeBytes)} of ${formatSize(tarBytes)} in ${folder}`);
  session.recorder.note(`backup ${id}: ${formatSize(sizeBytes)} in ${folder}`, service);
  session.recorder.gates.push({
    gate: 'backup',
    state: 'passed',
    detail: `${service}: ${id}, ${formatSize(sizeBytes)}, read back whole`,
  });
  await session.ledger.addBackupRecord({
    at: manifest.at,
    kind: 'kept',
    service,
    backup: id,
    release: manifest.release,
    reason: manifest.reason,
    directory: folder,
    host: manifest.host,
    sizeBytes,
    run: manifest.run,
  });
}

/** Empties each place, fills it from the backup, and compares what is there then with what was backed up. */
export async function restoreData(
  session: Session,
  { folder, backup, service, places, tool }: OperationOf<'restore-data'>,
  signal: AbortSignal,
): Promise<void> {
  const { backups, data, project } = session;
  // It was checked before; when another run puts the data of before back, that was long ago.
  const manifest = await backups.check(folder, signal);
  const opened = await data.open(project, places);
  try {
    for (const place of places) {
      const entry = manifest.entries.find(({ name }) => name === place.name);
      if (entry === undefined) continue;
      await data.empty(project, place, tool, signal);
      await opened.write(place, backups.open(folder, entry), signal);
      const sha256 = await sumOf(await opened.read(place, signal));
      if (sha256 !== entry.tarSha256) {
        throw new ProcedureError('E_VERIFICATION', `${place.source} is not what backup ${backup} of ${service} holds`, {
          next: 'Look whether something else writes there, or whether its disk is full. The archive itself is whole, and can be unpacked by hand (docs/backup.md).',
        });
      }
      session.progress.info(
        `  ${place.source}: ${entry.entries} entries, ${formatSize(entry.tarBytes)}, the same to the bit`,
      );
    }
  } finally {
    await opened.close();
  }
}

async function sumOf(tar: Readable): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of tar as AsyncIterable<Buffer>) hash.update(chunk);
  return hash.digest('hex');
}

/**
 * A run that is killed lets nothing go on: what does it then is started before anything stands still. A command of the user is
 * left to the recovery, which has the user's environment.
 */
async function guardFor(
  { data }: Session,
  { how, containers }: OperationOf<'freeze-data'>,
): Promise<FreezeGuard | undefined> {
  return how === 'quiesce' ? undefined : data.guard({ how, containers, limitMs: GUARD_LIMIT_MS });
}

/**
 * Carries a plan's operations out in order. When one fails while data is kept from changing, that ends, and what was
 * written of a backup is removed; data that has begun to be replaced is left to whoever undoes it.
 */
export async function inOrder(
  session: Session,
  operations: readonly Operation[],
  execute: (operation: Operation) => Promise<void>,
): Promise<void> {
  let frozen: OperationOf<'freeze-data'> | undefined;
  let guard: FreezeGuard | undefined;
  const endGuard = async (): Promise<void> => {
    await guard?.end();
    guard = undefined;
  };
  const unsaved = new Set(operations.filter((operation) => operation.kind === 'keep-backup'));
  try {
    for (const operation of operations) {
      if (operation.kind === 'freeze-data') {
        guard = await guardFor(session, operation);
        frozen = operation;
      }
      if (operation.kind === 'restore-data') {
        frozen = undefined;
        // Nothing may start on data that is half replaced.
        await endGuard();
      }
      await execute(operation);
      if (operation.kind === 'thaw-data') {
        frozen = undefined;
        await endGuard();
      }
      if (operation.kind === 'keep-backup') unsaved.delete(operation);
    }
  } catch (error) {
    for (const { service } of unsaved) {
      const detail = `${service}: no backup was taken (${asProcedureError(error).message})`;
      session.recorder.gates.push({ gate: 'backup', state: 'refused', detail });
    }
    for (const { writer } of session.savings.values()) await writer.discard();
    session.savings.clear();
    // What could not be let go is let go by the guard, when this process ends.
    if (frozen === undefined || (await letGoOn(session, frozen))) await endGuard();
    throw error;
  }
}

/** @returns whether it goes on; if not, `post` or the next run reads in the journal that it does not */
async function letGoOn(session: Session, frozen: OperationOf<'freeze-data'>): Promise<boolean> {
  const compensation = compensationOf(frozen);
  if (compensation.kind !== 'operation') return true;
  try {
    await session.execute(compensation.operation, new AbortController().signal);
    return true;
  } catch (error) {
    const failure = failureOf(error);
    session.progress.error(`${frozen.service} could not be let go on: ${failure.message}`);
    session.recorder.nextSteps.push(`${frozen.service} stands still: ${failure.message}. ${failure.next}`);
    return false;
  }
}
