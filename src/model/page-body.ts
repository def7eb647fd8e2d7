import type { StatusChange } from './notification.js';
import { formatDuration } from './units.js';

/** The calls of a status page, each with a body of its own. */
export const PAGE_KINDS = [
  'announced',
  'maintenance',
  'operational',
  'completed',
] as const satisfies readonly StatusChange['kind'][];

/** Every call knows these. */
const EVERYWHERE = ['project', 'reason'] as const;

/** The words that a body may hold in braces, as in `{"scheduled": "{scheduled}"}`, by the call that it is of. */
export const PAGE_WORDS: Readonly<Record<StatusChange['kind'], readonly string[]>> = {
  announced: ['scheduled', 'scheduled_until', 'duration', 'duration_minutes', 'impact', ...EVERYWHERE],
  maintenance: EVERYWHERE,
  operational: EVERYWHERE,
  completed: ['actual_duration', 'actual_minutes', 'issues', 'notes', ...EVERYWHERE],
};

const MINUTE_MS = 60_000;
const WORD = /\{([a-z_]+)\}/g;

/** @returns what a change gives for each of its words; numbers are numbers, where a string is nothing but the word */
function pageWords(change: StatusChange): Readonly<Record<string, string | number>> {
  const { project, reason } = change;
  switch (change.kind) {
    case 'maintenance':
    case 'operational':
      return { project, reason };
    case 'announced':
      return {
        ...{ project, reason, impact: change.impact, scheduled: change.startsAt },
        scheduled_until: new Date(Date.parse(change.startsAt) + change.durationMs).toISOString(),
        duration: inWords(change.durationMs),
        duration_minutes: inMinutes(change.durationMs),
      };
    case 'completed':
      return {
        ...{ project, reason, issues: change.issues, notes: change.notes },
        actual_duration: inWords(change.actualMs),
        actual_minutes: inMinutes(change.actualMs),
      };
  }
}

/**
 * @param template JSON @returns it with the words of the change in place of those in braces: only within its strings, so
 * that no text of others can make something else of it
 */
export function pageBody(template: string, change: StatusChange): string {
  const words = pageWords(change);
  return JSON.stringify(
    mapStrings(JSON.parse(template), (text) => {
      const whole = /^\{([a-z_]+)\}$/.exec(text)?.[1];
      if (whole !== undefined) return words[whole] ?? text;
      return text.replaceAll(WORD, (braces, word: string) => String(words[word] ?? braces));
    }),
  );
}

/** @param template JSON @returns words in braces that this call does not know */
export function unknownPageWords(template: string, kind: StatusChange['kind']): readonly string[] {
  const known = PAGE_WORDS[kind];
  const found = new Set<string>();
  mapStrings(JSON.parse(template), (text) => {
    for (const [, word = ''] of text.matchAll(WORD)) if (!known.includes(word)) found.add(word);
    return text;
  });
  return [...found];
}

function mapStrings(value: unknown, map: (text: string) => string | number): unknown {
  if (typeof value === 'string') return map(value);
  if (Array.isArray(value)) return value.map((one) => mapStrings(one, map));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, mapStrings(one, map)]));
}

/** As the runbook writes it: `15min`. */
function inWords(ms: number): string {
  return formatDuration(ms).replaceAll(' ', '');
}

function inMinutes(ms: number): number {
  return Math.round(ms / MINUTE_MS);
}
