/** What an emergency restart found out about one service. */
export interface RootCause {
  readonly service: string;
  /** Likeliest first; empty when nothing points anywhere. */
  readonly likely: readonly string[];
  readonly facts: readonly CauseFact[];
}

export interface CauseFact {
  readonly what: string;
  readonly found: string;
}

/** What goes into the incident log and to the forge. */
export interface Incident {
  readonly at: string;
  readonly project: string;
  readonly services: readonly string[];
  readonly by: string;
  readonly run: string;
  readonly runUrl: string | undefined;
  readonly reason: string | undefined;
  readonly outcome: string;
  readonly headline: string;
  readonly causes: readonly RootCause[];
  readonly evidencePath: string;
}

/** The runbook's words, what has run out first. */
export const CAUSE_PATTERNS = [
  { word: 'out of memory', says: 'it ran out of memory' },
  { word: 'no space', says: 'a disk is full' },
  { word: 'too many', says: 'too many of something: open files, connections, processes' },
  { word: 'deadlock', says: 'a deadlock' },
  { word: 'timeout', says: 'something that it waits for does not answer' },
  { word: 'exception', says: 'exceptions in its log' },
  { word: 'error', says: 'errors in its log' },
] as const;

/** How often each word is in a log, and the last line with it. */
export class CauseCounter {
  private readonly found = new Map<string, { count: number; last: string }>();

  add(line: string): void {
    const lower = line.toLowerCase();
    for (const { word } of CAUSE_PATTERNS) {
      if (!lower.includes(word)) continue;
      const known = this.found.get(word);
      this.found.set(word, { count: (known?.count ?? 0) + 1, last: line });
    }
  }

  /** @returns those that were found, in the order of `CAUSE_PATTERNS` */
  results(): readonly {
    readonly word: string;
    readonly says: string;
    readonly count: number;
    readonly last: string;
  }[] {
    return CAUSE_PATTERNS.flatMap(({ word, says }) => {
      const known = this.found.get(word);
      return known === undefined ? [] : [{ word, says, ...known }];
    });
  }
}

/** The runbook's `echo "Emergency restart at …" >> incidents.log`, with what a person asks next. */
export function incidentLine(incident: Incident): string {
  const causes = incident.causes.flatMap(({ likely }) => likely);
  return [
    `${incident.at} emergency restart of ${incident.services.join(', ')} in ${incident.project} by ${incident.by}`,
    `${incident.outcome}: ${incident.headline}`,
    ...(incident.reason === undefined ? [] : [`reason: ${incident.reason}`]),
    `likely cause: ${causes.length === 0 ? 'not found' : causes.join('; ')}`,
    `run: ${incident.runUrl ?? incident.run}`,
    `evidence: ${incident.evidencePath}`,
  ]
    .map((part) => part.replaceAll(/\s*\n\s*/g, ' '))
    .join(' | ');
}
