import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ProcedureError } from '../model/errors.js';

const PROBE = Buffer.alloc(4_096);

/**
 * Makes the folder for evidence, reports and worktrees, and writes to it: what is wrong with it is found before anything else.
 * One on a full disk is let pass: an emergency restart must not wait for space. What needs space there says so itself.
 * @throws ProcedureError E_INPUT
 */
export async function prepareStateDirectory(directory: string): Promise<void> {
  // The same name each time: a killed run leaves at most this one.
  const probe = path.join(directory, '.writable');
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await writeFile(probe, PROBE, { mode: 0o600 });
    await rm(probe, { force: true });
  } catch (error) {
    await rm(probe, { force: true }).catch(() => undefined);
    if (isFull(error)) return;
    throw new ProcedureError('E_INPUT', `The state directory ${directory} cannot be used: ${reasonFor(error)}`, {
      next: `${nextFor(error)} Or set state-dir to another folder. Nothing was changed.`,
      cause: error,
    });
  }
}

function reasonFor(error: unknown): string {
  switch (codeOf(error)) {
    // What Node says of a folder that is to be made on a read-only file system.
    case 'ENOENT':
      return 'it cannot be made there';
    case 'EACCES':
    case 'EPERM':
      return 'this user may not write there';
    case 'EROFS':
      return 'its file system is read-only';
    case 'ENOTDIR':
    case 'EEXIST':
      return 'a file is in its place';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}

function nextFor(error: unknown): string {
  switch (codeOf(error)) {
    case 'EACCES':
    case 'EPERM':
      return 'Give this user the right to write there.';
    case 'ENOTDIR':
    case 'EEXIST':
      return 'Move the file away.';
    default:
      return 'Correct that.';
  }
}

function isFull(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'ENOSPC' || code === 'EDQUOT';
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
