import type { z } from 'zod';
import type { ProcedureError } from '../model/errors.js';
import type { Journal, JournalRecord } from '../model/ports/ledger.js';
import { isSegment, recordPath } from './names.js';
import { readRecord } from './reading.js';
import type { Records } from './records.js';
import { beginSchema, closingSchema, endSchema, openingSchema } from './schemas.js';

export interface JournalOptions<P, O> {
  readonly records: Records;
  readonly project: string;
  /** Reads plans and operations back; they are above this part. */
  readonly codec: { readonly plan: z.ZodType<P>; readonly operation: z.ZodType<O> };
  /** Told about each entry that cannot be read (E_LEDGER). */
  readonly onBroken: (error: ProcedureError) => void;
}

/** How long an end waits for the next beginning, to go to the engine with it. */
const DEFER_MS = 5;

/**
 * What is deferred is written in the background, in one go with what is written next, and always before it: a process
 * killed in between leaves an operation that counts as begun, as one killed before its end does.
 */
class WriteBehind {
  private deferred = new Map<string, unknown>();
  private timer: NodeJS.Timeout | undefined;
  /** What the last write in the background came to; told to whoever writes next. */
  private background: Promise<void> = Promise.resolve();

  constructor(private readonly records: Records) {}

  defer(path: string, value: unknown): void {
    this.deferred.set(path, value);
    this.timer ??= setTimeout(() => {
      const earlier = this.background;
      const taken = this.take();
      this.background = earlier.then(() => this.records.writeAll(taken));
      this.background.catch(() => undefined);
    }, DEFER_MS);
  }

  /** @throws ProcedureError also for what was deferred and could not be written */
  async write(path: string, value: unknown): Promise<void> {
    const taken = this.take().set(path, value);
    await this.settle();
    await this.records.writeAll(taken);
  }

  /** @throws ProcedureError for what was deferred and could not be written */
  async flush(): Promise<void> {
    const taken = this.take();
    await this.settle();
    if (taken.size > 0) await this.records.writeAll(taken);
  }

  /** A failure is told once. */
  private async settle(): Promise<void> {
    const { background } = this;
    this.background = Promise.resolve();
    await background;
  }

  private take(): Map<string, unknown> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const taken = this.deferred;
    this.deferred = new Map();
    return taken;
  }
}

/** @returns the journals of a compose project's runs, kept on its engine: a file per beginning and per end */
export function createJournal<P, O>({ records, project, codec, onBroken }: JournalOptions<P, O>): Journal<P, O> {
  const now = (): string => new Date().toISOString();
  const entryPath = (run: string, sequence: number, part: 'begin' | 'end'): string =>
    recordPath('journal', run, `${String(sequence).padStart(4, '0')}-${part}.json`);

  const behind = new WriteBehind(records);

  return {
    open: (record) => records.write(recordPath('journal', record.run, 'opening.json'), record),
    begin: (run, sequence, operation) => behind.write(entryPath(run, sequence, 'begin'), { at: now(), operation }),
    end: (run, sequence, result, error) => behind.write(entryPath(run, sequence, 'end'), { at: now(), result, error }),
    endSoon: (run, sequence) => {
      behind.defer(entryPath(run, sequence, 'end'), { at: now(), result: 'done' });
    },
    close: (run, outcome) => behind.write(recordPath('journal', run, 'closed.json'), { at: now(), outcome }),

    /**
     * An entry that cannot be read is told about and left out (its end: counts as begun), so that a later run can do
     * what is known to be needed. Without a readable opening nothing is known.
     * @throws ProcedureError E_LEDGER when the run's opening cannot be read
     */
    async read(run) {
      if (!isSegment(run)) return undefined;
      await behind.flush();
      const folder = recordPath('journal', run);
      const files = new Map(
        [...(await records.tree(folder))].map(([path, content]) => [path.slice(path.lastIndexOf('/') + 1), content]),
      );
      if (files.size === 0) return undefined;

      const openingFile = files.get('opening.json') ?? Buffer.alloc(0);
      const opening = readRecord(project, `${folder}/opening.json`, openingFile, openingSchema(codec.plan));
      if (opening.kind === 'broken') throw opening.error;

      const entries: JournalRecord<P, O>['entries'][number][] = [];
      for (const [name, content] of files) {
        const match = /^(\d{4,})-begin\.json$/.exec(name);
        if (match?.[1] === undefined) continue;
        const begin = readRecord(project, `${folder}/${name}`, content, beginSchema(codec.operation));
        if (begin.kind === 'broken') {
          onBroken(begin.error);
          continue;
        }
        const endName = `${match[1]}-end.json`;
        const endFile = files.get(endName);
        const end = endFile === undefined ? undefined : readRecord(project, `${folder}/${endName}`, endFile, endSchema);
        if (end?.kind === 'broken') onBroken(end.error);
        entries.push({
          sequence: Number(match[1]),
          operation: begin.value.operation,
          result: end?.kind === 'record' ? end.value.result : 'begun',
          ...(end?.kind === 'record' && end.value.error !== undefined ? { error: end.value.error } : {}),
        });
      }
      entries.sort((a, b) => a.sequence - b.sequence);

      const closedFile = files.get('closed.json');
      const closed =
        closedFile === undefined ? undefined : readRecord(project, `${folder}/closed.json`, closedFile, closingSchema);
      if (closed?.kind === 'broken') onBroken(closed.error);
      return { opening: opening.value, entries, outcome: closed?.kind === 'record' ? closed.value.outcome : undefined };
    },
  };
}
