import type { ProcedureError } from './errors.js';

/**
 * How a run ended. The words are few on purpose: the job's colour and everything a workflow decides on hang on them.
 * Green: deployed, unchanged, completed. Red: all others.
 */
export const GREEN_OUTCOMES = ['deployed', 'unchanged', 'completed'] as const;
export const RED_OUTCOMES = ['refused', 'failed', 'rolled-back', 'rollback-failed', 'cancelled'] as const;

export type OutcomeKind = (typeof GREEN_OUTCOMES)[number] | (typeof RED_OUTCOMES)[number];

export type Outcome =
  | { readonly kind: 'deployed' | 'unchanged' | 'completed'; readonly summary: string }
  | { readonly kind: 'refused'; readonly error: ProcedureError }
  | {
      readonly kind: 'failed' | 'rolled-back' | 'rollback-failed' | 'cancelled';
      /** Whether what runs (containers, checkout, tags) differs from before the run. */
      readonly changed: boolean;
      readonly error: ProcedureError;
      /** Set when undoing failed as well. */
      readonly undoError?: ProcedureError;
    };

/** @returns whether the job is green */
export function isGreen(kind: OutcomeKind): boolean {
  return (GREEN_OUTCOMES as readonly string[]).includes(kind);
}

/** From worst to best: the outcome of a run over several services is the worst of theirs. */
const SEVERITY: readonly OutcomeKind[] = [
  'rollback-failed',
  'failed',
  'rolled-back',
  'cancelled',
  'refused',
  'deployed',
  'completed',
  'unchanged',
];

/** @returns the outcome that stands for all of them; `unchanged` for none */
export function worstOutcome(kinds: readonly OutcomeKind[]): OutcomeKind {
  return SEVERITY.find((kind) => kinds.includes(kind)) ?? 'unchanged';
}
