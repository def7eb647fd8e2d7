import type { Freeze } from '../operations/freeze-data.js';
import { createsContainers, type Operation } from '../operations/operation.js';
import { dataBack, type DataReturn } from '../operations/restore-data.js';

/** What is done to a service's data while the service is changed. */
export interface DataChange {
  /** The backup before anything else. */
  readonly first: readonly Operation[];
  /** Old data in the place of new, while nothing of the service runs. */
  readonly swap: readonly Operation[];
  readonly notes: readonly string[];
}

/** Puts what is done to the data into a plan: backups after the evidence, and other data before anything new starts. */
export function withData(operations: readonly Operation[], data: DataChange | undefined): readonly Operation[] {
  if (data === undefined) return operations;
  const evidence = operations[0]?.kind === 'capture-evidence' ? 1 : 0;
  const start = operations.findIndex(createsContainers);
  const at = start === -1 ? operations.length : start;
  return [
    ...operations.slice(0, evidence),
    ...data.first,
    ...operations.slice(evidence, at),
    ...data.swap,
    ...operations.slice(at),
  ];
}

/** Before the way back of a change that had put other data in place: nothing runs, and the data of before is back. */
export function dataFirst(
  operations: readonly Operation[],
  restore: DataReturn & { readonly safety: NonNullable<DataReturn['safety']> },
  stop: Freeze,
): readonly Operation[] {
  return [{ kind: 'freeze-data', ...stop }, dataBack(restore, restore.safety), ...operations];
}
