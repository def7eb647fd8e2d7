import type { Operation } from '../model/operation.js';
import type { Candidate } from './candidate.js';
import { backupFirst } from './data-change.js';
import type { Viewing } from './session.js';

/** The backups of several services that are taken before any of them is touched. */
export interface SavedFirst {
  readonly operations: readonly Operation[];
  /** What is to be said of each, by service. */
  readonly notes: ReadonlyMap<string, readonly string[]>;
}

/** @returns the backups that `backup: before` asks for; none of a service without data */
export async function backUpAll(viewing: Viewing, candidates: readonly Candidate[]): Promise<SavedFirst> {
  const operations: Operation[] = [];
  const notes = new Map<string, readonly string[]>();
  for (const { service, current } of candidates) {
    const data = await backupFirst(viewing, service, current);
    if (data === undefined) continue;
    operations.push(...data.first);
    notes.set(service, data.notes);
  }
  return { operations, notes };
}
