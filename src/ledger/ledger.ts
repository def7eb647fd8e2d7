import { randomBytes } from 'node:crypto';
import type { z } from 'zod';
import { withoutDefinition, type Ledger } from '../model/ports/ledger.js';
import type { ProcedureError } from '../model/errors.js';
import type { ReleaseId, ReleaseWithDefinition, ServiceHistory } from '../model/release.js';
import { isSegment, recordPath } from './names.js';
import { readRecord } from './reading.js';
import type { Records } from './records.js';
import {
  backupRecordSchema,
  eventSchema,
  maintenanceRecordSchema,
  releaseSchema,
  releaseWithDefinitionSchema,
  sloRecordSchema,
} from './schemas.js';

export interface LedgerOptions {
  readonly records: Records;
  readonly project: string;
  /**
   * Told about each file that cannot be read (E_LEDGER, once per file); the others are read all the same, so that one
   * damaged record does not stand between a team and its rollback.
   */
  readonly onBroken: (error: ProcedureError) => void;
}

/** @returns the releases of a compose project, kept on its engine */
export function createLedger({ records, project, onBroken }: LedgerOptions): Ledger {
  const definitions = new Map<ReleaseId, ReleaseWithDefinition>();
  const told = new Set<string>();
  /** What a run reads again and again: it writes under the lock, so nobody but itself adds to it. */
  const histories = new Map<string, Promise<ServiceHistory>>();

  const readAll = async <T>(folder: string, schema: z.ZodType<T>): Promise<T[]> => {
    const values: T[] = [];
    for (const [name, content] of byName(await records.tree(folder))) {
      const path = `${folder}/${name}`;
      let result = readRecord(project, path, content, schema);
      if (result.kind === 'broken') {
        // Another run may be writing it at this moment.
        const again = await records.read(path);
        if (again !== undefined) result = readRecord(project, path, again, schema);
      }
      if (result.kind === 'record') values.push(result.value);
      else if (!told.has(path)) {
        told.add(path);
        onBroken(result.error);
      }
    }
    return values;
  };

  /** A new file after all that are there. */
  const append = (kind: string, value: { readonly at: string; readonly service: string }): Promise<void> =>
    appendTo(recordPath(kind, value.service), value);
  const appendTo = async (folder: string, value: { readonly at: string }): Promise<void> => {
    const last = byName(await records.tree(folder)).at(-1)?.[0];
    await records.write(`${folder}/${eventName(value.at, last)}`, value);
  };

  const readHistory = async (service: string): Promise<ServiceHistory> => {
    const [releases, events] = await Promise.all([
      readAll(recordPath('releases', service), releaseSchema),
      readAll(recordPath('events', service), eventSchema),
    ]);
    return { releases, events };
  };

  return {
    async history(service) {
      const known = histories.get(service);
      if (known !== undefined) return known;
      const reading = readHistory(service);
      histories.set(service, reading);
      reading.catch(() => histories.delete(service));
      return reading;
    },

    async services() {
      const paths = [...(await records.tree('releases')).keys()];
      return [...new Set(paths.flatMap((path) => path.split('/').at(-2) ?? []))].sort();
    },

    async definition(id) {
      const known = definitions.get(id);
      if (known !== undefined) return known;
      if (!isSegment(id)) return undefined;
      const path = recordPath('definitions', `${id}.json`);
      const content = await records.read(path);
      if (content === undefined) return undefined;
      const result = readRecord(project, path, content, releaseWithDefinitionSchema);
      if (result.kind === 'broken') throw result.error;
      definitions.set(id, result.value);
      return result.value;
    },

    async addRelease(release) {
      const file = `${release.id}.json`;
      // The definition first: a release in the list can always be gone back to.
      await records.writeAll(
        new Map<string, unknown>([
          [recordPath('definitions', file), release],
          [recordPath('releases', release.service, file), withoutDefinition(release)],
        ]),
      );
      definitions.set(release.id, release);
      histories.delete(release.service);
    },

    async addEvent(event) {
      await append('events', event);
      histories.delete(event.service);
    },

    sloRecords: (service) => readAll(recordPath('slo', service), sloRecordSchema),
    addSloRecord: (record) => append('slo', record),

    backupRecords: (service) => readAll(recordPath('backups', service), backupRecordSchema),
    addBackupRecord: (record) => append('backups', record),

    maintenanceRecords: () => readAll(recordPath('maintenance'), maintenanceRecordSchema),
    addMaintenanceRecord: (record) => appendTo(recordPath('maintenance'), record),
  };
}

/** Files of a folder by their own names, in the order of these. */
function byName(files: ReadonlyMap<string, Buffer>): (readonly [string, Buffer])[] {
  return [...files]
    .map(([path, content]) => [path.slice(path.lastIndexOf('/') + 1), content] as const)
    .filter(([name]) => name.endsWith('.json'))
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

/**
 * The name by which an event sorts after all earlier ones. Runs come from several machines whose clocks differ, and the
 * order of events decides what is live: an event never sorts before one that was there when it was written. Two at the
 * same moment cannot be, since both are written under the lock.
 */
export function eventName(at: string, last: string | undefined): string {
  const previous = last === undefined ? undefined : momentOf(last);
  const moment = Math.max(new Date(at).getTime(), previous === undefined ? 0 : previous + 1);
  return `${new Date(moment).toISOString().replaceAll(':', '')}-${randomBytes(3).toString('hex')}.json`;
}

/** @returns milliseconds since the epoch in the name of an event's file */
function momentOf(name: string): number | undefined {
  const match = /^(\d{4}-\d{2}-\d{2}T\d{2})(\d{2})(\d{2}\.\d{3}Z)-/.exec(name);
  if (match === null) return undefined;
  const [, hour = '', minute = '', second = ''] = match;
  return new Date(`${hour}:${minute}:${second}`).getTime();
}
