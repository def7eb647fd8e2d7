import { asProcedureError } from '../model/errors.js';
import {
  describeOperation,
  traitsOf,
  type Operation,
  type OperationKind,
  type OperationOf,
} from '../operations/operation.js';
import { formatDuration } from '../model/units.js';
import type { LockedRun } from './run.js';

/** What carries an operation out. One a kind; `Performers` makes forgetting one a type error. */
export type Performer<K extends OperationKind> = (operation: OperationOf<K>, signal: AbortSignal) => Promise<void>;
export type Performers = { readonly [K in OperationKind]: Performer<K> };

/** Whose journal, and the sequence number of its last entry. */
export interface JournalPlace {
  readonly run: string;
  readonly after: number;
}

/**
 * Carries operations out one by one: checks that the lock is still ours, writes the operation to the journal, performs
 * it, writes that it is done. Whatever instant the process dies at, the journal says which effect may have happened.
 */
export class Executor {
  private sequence: number;
  /** Operations of this run that have begun, in order. */
  readonly begun: Operation[] = [];

  constructor(
    private readonly run: LockedRun,
    private readonly performers: Performers,
    /** The journal that is written to; another run's is continued after what it has. */
    private readonly journalled: JournalPlace = { run: run.invocation.runId, after: 0 },
  ) {
    this.sequence = journalled.after;
  }

  /** @param signal aborts waiting; an effect that has begun is finished or reported, never left unknown */
  async execute(operation: Operation, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { clock, journal, lock, recorder, progress } = this.run;
    await lock.check();
    const sequence = (this.sequence += 1);
    const text = describeOperation(operation);
    // Operations that only look leave nothing to undo: their begin record is what tells recovery how far the run got.
    await journal.begin(this.journalled.run, sequence, operation);
    this.begun.push(operation);
    const { changes, endMatters } = traitsOf(operation);
    if (changes !== 'nothing') recorder.changed = true;
    if (changes === 'unseen') recorder.unseen = true;
    const began = clock.monotonic();
    const now = progress.doing(text);
    try {
      await recorder.step(text, 'service' in operation ? operation.service : undefined, async () =>
        this.perform(operation, signal),
      );
    } catch (error) {
      now.end();
      // What was cut short has not failed, and counts as begun: recovery must not take it for a verdict.
      const ended = signal.aborted ? Promise.resolve() : this.failed(sequence, error);
      await ended.catch((journalError: unknown) => {
        // The failure at hand matters more; recovery treats a begun operation without an end as failed anyway.
        progress.debug(`journal: ${String(journalError)}`);
      });
      progress.info(`✗ ${text} (${formatDuration(clock.monotonic() - began)})`);
      throw error;
    }
    now.end();
    if (endMatters) await journal.end(this.journalled.run, sequence, 'done');
    else journal.endSoon(this.journalled.run, sequence);
    progress.info(`✓ ${text} (${formatDuration(clock.monotonic() - began)})`);
  }

  private async failed(sequence: number, error: unknown): Promise<void> {
    await this.run.journal.end(this.journalled.run, sequence, 'failed', asProcedureError(error).code);
  }

  private async perform<K extends OperationKind>(operation: OperationOf<K>, signal: AbortSignal): Promise<void> {
    const performer = this.performers[operation.kind];
    await performer(operation, signal);
  }
}
