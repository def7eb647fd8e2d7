import type { OutcomeKind } from './outcome.js';
import type { ReleaseEvent, ServiceHistory } from './release.js';
import type { SloRecord } from './slo-record.js';

/** One change of a service, as a person asks for it: what, when, how it ended, who, how long. */
export interface Change {
  readonly at: string;
  readonly service: string;
  /** A procedure, or what the ledger noted without one: `adopted`, `stopped`, `started`, `live`, `bad`, `dropped`. */
  readonly what: string;
  /** Undefined where only a note was taken. */
  readonly outcome: OutcomeKind | undefined;
  /** Release that was live after it, or that the note is about. */
  readonly release: string | undefined;
  readonly by: string | undefined;
  readonly run: string | undefined;
  /** The procedure's own time, without its watch, in milliseconds. */
  readonly timeMs: number | undefined;
  /** How long nothing served, in milliseconds. */
  readonly downtimeMs: number | undefined;
  /** Why, where something was said. */
  readonly reason: string | undefined;
}

/**
 * A run that changed a service has a row of what it cost; events of the ledger say why, and tell of what has no such row:
 * a stop, and what was found running.
 * @returns the changes of one service, newest first
 */
export function changesOf(
  service: string,
  { releases, events }: ServiceHistory,
  rows: readonly SloRecord[],
): readonly Change[] {
  const runs = new Set(rows.map(({ run }) => run));
  const ofRuns = rows.map((row): Change => {
    const said = events.findLast((event) => event.run === row.run && tells(event));
    return {
      at: row.at,
      service,
      what: row.procedure,
      outcome: row.outcome,
      release: row.release,
      by: row.by,
      run: row.run,
      timeMs: row.timeMs,
      downtimeMs: row.downtimeMs,
      reason: said?.reason,
    };
  });
  const notes = events
    // A change of its own is neither what is no longer kept nor the end of a job.
    .filter(({ kind }) => kind !== 'dropped' && kind !== 'completed')
    .filter((event) => event.run === undefined || !runs.has(event.run))
    .map((event): Change => {
      const release = releases.find(({ id }) => id === event.release);
      return {
        at: event.at,
        service,
        what: event.kind === 'live' && release?.origin === 'adopted' ? 'adopted' : event.kind,
        outcome: undefined,
        release: event.release,
        by: event.kind === 'live' ? release?.by : undefined,
        run: event.run,
        timeMs: undefined,
        downtimeMs: undefined,
        reason: event.reason,
      };
    });
  return newestFirst([...ofRuns, ...notes]);
}

/** @returns changes of several services, newest first */
export function newestFirst(changes: readonly Change[]): readonly Change[] {
  return [...changes].sort((one, other) => (one.at < other.at ? 1 : one.at > other.at ? -1 : 0));
}

/** A release that became live says nothing more than the outcome does. */
function tells({ kind }: ReleaseEvent): boolean {
  return kind === 'bad' || kind === 'stopped' || kind === 'started';
}
