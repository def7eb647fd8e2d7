import { isGreen } from '../model/outcome.js';
import type { RunReport } from '../model/report.js';

export interface Annotation {
  readonly level: 'error' | 'warning';
  readonly text: string;
}

/**
 * What belongs above the log, the most important first: the platform shows ten of each level.
 * Warnings that went unheeded into a rollback are part of the error's story and are told as well.
 */
export function annotations(report: RunReport): readonly Annotation[] {
  const list: Annotation[] = [];
  if (!isGreen(report.outcome)) {
    const next = report.nextSteps[0] ?? report.error?.next;
    list.push({
      level: 'error',
      text: `${report.outcome}: ${report.headline}${reasonOf(report)}${next === undefined ? '' : `\nNext: ${next}`}`,
    });
  }
  if (report.undoError !== undefined) {
    list.push({ level: 'error', text: `Undoing failed: ${report.undoError.message}\nNext: ${report.undoError.next}` });
  }
  for (const severity of ['high', 'medium', 'low'] as const) {
    for (const sign of report.warnings) {
      if (sign.severity === severity) list.push({ level: 'warning', text: `${sign.service}: ${sign.message}` });
    }
  }
  return list;
}

/** What the headline says is not said twice. */
function reasonOf({ error, headline }: RunReport): string {
  if (error === undefined) return '';
  return headline.includes(error.message) ? ` (${error.code})` : ` ${error.code}: ${error.message}`;
}
