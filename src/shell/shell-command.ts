import type { ProcedureError } from '../model/errors.js';
import type { Ledger, Locks } from '../model/ports/ledger.js';
import type { Finding } from '../model/finding.js';
import type { ShellCommandName, ShellOptions } from '../model/shell-command.js';
import type { Run } from '../run/run.js';
import type { OpenProject } from '../steps/session.js';

/** A person at a shell who looks at a project, or does something to what is kept of it. Holds no lock. */
export interface Shell extends Run {
  readonly project: string;
  /** Undefined when the compose files cannot be read and the project was named: the engine is asked all the same. */
  readonly opened: OpenProject | undefined;
  readonly ledger: Ledger;
  readonly locks: Locks;
  readonly options: ShellOptions;
}

/** What only a shell has besides the procedures. A new one is one file and one line in `index.ts`. */
export interface ShellCommand {
  readonly name: ShellCommandName;
  readonly perform: (shell: Shell) => Promise<ShellResult>;
}

export interface ShellResult {
  /** Exit code 0 or 1. */
  readonly green: boolean;
  /** One sentence. */
  readonly headline: string;
  readonly tables: readonly Finding[];
  /** What the person should do now, most useful first. */
  readonly nextSteps: readonly string[];
  /** What `--json` prints. */
  readonly value: Readonly<Record<string, unknown>>;
  readonly error?: ProcedureError;
}
