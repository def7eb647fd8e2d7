import type { ProcedureError } from '../model/errors.js';
import type { OutcomeKind } from '../model/outcome.js';
import type { ProcedureName } from '../model/request.js';
import type { Run } from '../run/run.js';
import type { Session, Viewing } from '../steps/session.js';

/** One entry of the runbook. A new one is one file and one line in `index.ts`. */
export interface Procedure {
  readonly name: ProcedureName;
  /** One sentence, for `--help` and the docs. */
  readonly purpose: string;
  /** Interrupts a procedure that is under way instead of waiting for it. */
  readonly interrupts: boolean;
  /** Shows what would be done; changes nothing on the engine. */
  readonly preview: (viewing: Viewing) => Promise<ProcedureResult>;
  /** Undefined for a procedure that only looks. */
  readonly perform: ((session: Session) => Promise<ProcedureResult>) | undefined;
  /** What is left to do when not even the project could be looked at, such as with an engine that does not answer. */
  readonly cannotBegin?: (run: Run, error: ProcedureError) => Promise<void>;
  /** What its messages to people belong together with, where that is more than the run. Changes nothing. */
  readonly thread?: (viewing: Viewing) => Promise<string>;
}

export interface ProcedureResult {
  readonly outcome: OutcomeKind;
  /** One sentence: what was asked for and what is live now. */
  readonly headline: string;
  readonly error: ProcedureError | undefined;
  readonly undoError: ProcedureError | undefined;
  readonly changed: boolean;
}

/** @returns a result that needs no more than its sentence */
export function ended(outcome: 'deployed' | 'unchanged' | 'completed', headline: string): ProcedureResult {
  return { outcome, headline, error: undefined, undoError: undefined, changed: outcome === 'deployed' };
}
