import type { OutcomeKind } from '../model/outcome.js';
import { GREEN_OUTCOMES, RED_OUTCOMES } from '../model/outcome.js';
import type { RunReport, TimelineEntry } from '../model/report.js';

/** Symbols of different shape: the outcome can be told without colours. */
const OUTCOMES: Readonly<
  Record<OutcomeKind, { readonly word: string; readonly emoji: string; readonly sign: string }>
> = {
  deployed: { word: 'Deployed', emoji: '✅', sign: '✔' },
  unchanged: { word: 'Unchanged', emoji: '🟰', sign: '=' },
  completed: { word: 'Completed', emoji: '☑️', sign: '✔' },
  refused: { word: 'Refused', emoji: '⛔', sign: '⊘' },
  failed: { word: 'Failed', emoji: '❌', sign: '✖' },
  'rolled-back': { word: 'Rolled back', emoji: '↩️', sign: '↩' },
  'rollback-failed': { word: 'Rollback failed', emoji: '🚨', sign: '‼' },
  cancelled: { word: 'Cancelled', emoji: '⏹️', sign: '■' },
};

export const OUTCOME_KINDS: readonly OutcomeKind[] = [...GREEN_OUTCOMES, ...RED_OUTCOMES];

/** For the summary: `✅ Deployed`. */
export function outcomeTitle(kind: OutcomeKind): string {
  return `${OUTCOMES[kind].emoji} ${OUTCOMES[kind].word}`;
}

/** For a log: `✔ deployed`. */
export function outcomeSign(kind: OutcomeKind): string {
  return `${OUTCOMES[kind].sign} ${kind}`;
}

/** What the title says of the whole run. */
export function reportTitle(report: Pick<RunReport, 'outcome' | 'dryRun'>): string {
  return report.dryRun && report.outcome === 'completed' ? '📝 Dry run' : outcomeTitle(report.outcome);
}

/** @returns one sentence on what a red run left behind */
export function changedWords({ outcome, changed }: Pick<RunReport, 'outcome' | 'changed'>): string {
  if (changed) return 'Something is different from before this run: a container, the checkout, an image tag or data.';
  if (outcome === 'refused') return 'Nothing was changed.';
  return 'Release, checkout and image tags are the same as before this run.';
}

export const STATUS_SIGNS: Readonly<Record<TimelineEntry['status'], string>> = {
  done: '✔',
  failed: '✖',
  undone: '↩',
  note: '·',
};

/** `03:15:02` of an ISO 8601 time; the text itself when it is none. */
export function clock(iso: string): string {
  return /T(\d\d:\d\d:\d\d)/.exec(iso)?.[1] ?? iso;
}
