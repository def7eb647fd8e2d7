import type { Operation } from '../operations/operation.js';
import type { Candidate } from './candidate.js';
import { backupFirst } from './data-change.js';
import { remediesFor } from './remedies/index.js';
import type { Viewing } from './session.js';

/** What is done for several services before any of them is touched: backups, and remedies that were asked for. */
export interface SavedFirst {
  readonly operations: readonly Operation[];
  /** What is to be said of each, by service. */
  readonly notes: ReadonlyMap<string, readonly string[]>;
}

/** @returns the backups that `backup: before` asks for, none of a service without data; and what `remedies` names */
export async function backUpAll(viewing: Viewing, candidates: readonly Candidate[]): Promise<SavedFirst> {
  const operations: Operation[] = [];
  const notes = new Map<string, readonly string[]>();
  const remedied: Operation[] = [];
  for (const candidate of candidates) {
    const { service, current } = candidate;
    const data = await backupFirst(viewing, service, current);
    const remedies = await remediesFor(viewing, candidate);
    operations.push(...(data?.first ?? []));
    remedied.push(...remedies.operations);
    notes.set(service, [...(data?.notes ?? []), ...remedies.notes]);
  }
  operations.push(...remedied);
  return { operations, notes };
}
