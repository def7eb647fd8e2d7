import { realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { ProcedureError } from '../model/errors.js';
import type { InputContext } from './inputs.js';

/** The context of inputs in this process. */
export function hostContext(environment: InputContext['environment'] = process.env): InputContext {
  return {
    environment,
    currentDirectory: currentDirectory(),
    homeDirectory: homeDirectory(),
    realDirectory: (path) => {
      try {
        return statSync(path).isDirectory() ? realpathSync(path) : undefined;
      } catch {
        return undefined;
      }
    },
  };
}

/** @throws ProcedureError E_INPUT when the folder that this process was started in is gone */
function currentDirectory(): string {
  try {
    return process.cwd();
  } catch (error) {
    throw new ProcedureError('E_INPUT', 'The folder that this was started in does not exist any more', {
      next: 'Change to a folder that exists, then start again. Nothing was changed.',
      cause: error,
    });
  }
}

/** @throws ProcedureError E_INPUT for a user without HOME whom the password file does not know */
function homeDirectory(): string {
  try {
    return homedir();
  } catch (error) {
    throw new ProcedureError('E_INPUT', 'This user has no home folder: HOME is not set, and the system knows none', {
      next: 'Set HOME to a folder, then start again. Nothing was changed.',
      cause: error,
    });
  }
}
