import { changesService, type Operation } from '../operations/operation.js';

/** What is done before a service is changed, because `remedies` names it. */
export interface Remedied {
  readonly operations: readonly Operation[];
  readonly notes: readonly string[];
}

/** Puts remedies into a plan: after evidence and backups, and before anything of the service is touched. */
export function withRemedies(operations: readonly Operation[], remedied: Remedied | undefined): readonly Operation[] {
  if (remedied === undefined || remedied.operations.length === 0) return operations;
  const saved = operations.findLastIndex(({ kind }) => kind === 'keep-backup');
  const first = operations.findIndex(
    (one, index) => index > saved && (changesService(one) || one.kind === 'record-start'),
  );
  const at = first === -1 ? operations.length : first;
  return [...operations.slice(0, at), ...remedied.operations, ...operations.slice(at)];
}
