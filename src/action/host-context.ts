import { realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import type { InputContext } from './inputs.js';

/** The context of inputs in this process. */
export function hostContext(environment: InputContext['environment'] = process.env): InputContext {
  return {
    environment,
    currentDirectory: process.cwd(),
    homeDirectory: homedir(),
    realDirectory: (path) => {
      try {
        return statSync(path).isDirectory() ? realpathSync(path) : undefined;
      } catch {
        return undefined;
      }
    },
  };
}
