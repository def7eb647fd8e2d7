import type { Phase } from '../../model/maintenance.js';
import type { RollOutAllResult } from '../roll-out-all.js';
import type { Session } from '../session.js';
import type { Window } from './window.js';

export type PhaseResult = RollOutAllResult;

/** One phase of the runbook's Procedure 5. A new one is one file here and one line in `index.ts`. */
export interface MaintenancePhase {
  readonly name: Phase;
  /** What it does, for the plan. */
  readonly says: string;
  readonly run: (session: Session, window: Window) => Promise<PhaseResult>;
}

/** @returns a phase that went well and changed nothing that runs */
export function done(headline: string): PhaseResult {
  return { outcome: 'completed', headline, error: undefined, undoError: undefined, changed: false };
}
