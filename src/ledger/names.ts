import { ProcedureError } from '../model/errors.js';

/**
 * Names and labels of what is kept on the engine for a compose project.
 *
 * The names have dots where Compose has underscores and hyphens. A project name has no dot (Compose specification,
 * "Name top-level element") and Compose names a volume `<project>_<key>`, so no project, key or service can lead Compose
 * to one of these names; with underscores a project called `rolling-restart` with a volume `roma_records` would. None of
 * the labels is Compose's: `docker compose down --volumes` leaves all of it alone.
 */
/** On every volume of the lock, generations and yield requests alike; its value is the project. */
export const LOCK_LABEL = 'rolling-restart.lock';

/** @returns the name of the volume with the records, and of the container that opens it */
export function recordsName(project: string): string {
  return `rolling-restart.${project}.records`;
}

export function generationName(project: string, generation: number): string {
  return `rolling-restart.${project}.lock.g${generation}`;
}

export function yieldName(project: string, generation: number): string {
  return `rolling-restart.${project}.yield.g${generation}`;
}

export type LockVolume =
  { readonly kind: 'generation'; readonly number: number } | { readonly kind: 'yield'; readonly number: number };

/** @returns which volume of the project's lock the name means; undefined for any other */
export function parseLockVolume(project: string, name: string): LockVolume | undefined {
  const prefix = `rolling-restart.${project}.`;
  const match = name.startsWith(prefix) ? /^(lock|yield)\.g([1-9]\d{0,14})$/.exec(name.slice(prefix.length)) : null;
  if (match === null) return undefined;
  return { kind: match[1] === 'lock' ? 'generation' : 'yield', number: Number(match[2]) };
}

/** Whether a text can be one segment of a record's path: what a person types ends here too (`release:../x`). */
export function isSegment(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/.test(text) || /^[._-][A-Za-z0-9_-][A-Za-z0-9._-]{0,198}$/.test(text);
}

/**
 * @returns the path of a record in the records volume, relative to its root
 * @throws ProcedureError E_LEDGER when a part could lead elsewhere
 */
export function recordPath(...segments: readonly string[]): string {
  const wrong = segments.find((segment) => !isSegment(segment));
  if (wrong !== undefined) {
    throw new ProcedureError('E_LEDGER', `"${wrong}" cannot name a record`, {
      next: 'Use letters, digits, dots, hyphens and underscores in service names and run ids.',
    });
  }
  return segments.join('/');
}
