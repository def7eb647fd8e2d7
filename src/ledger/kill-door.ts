import type { Journal } from '../model/ports/ledger.js';

/**
 * A door for tests: ends this process with SIGKILL before or after a journal record. Inert unless this variable is set.
 *
 * `before:7`, `after:7`: the 7th record that this process writes, of whatever run: an opening, a begin, an end or a close.
 * `before:open`, `after:close`: the first opening or close.
 * `after:begin:start-beside`, `before:end:start-beside`: the first begin or end of an operation of that kind.
 */
export const KILL_VARIABLE = 'ROLLING_RESTART_TEST_KILL';

type Part = 'open' | 'begin' | 'end' | 'close';

/** @returns whether a record is the one; undefined when the variable is not set @throws Error for any other text */
function readPlace(
  text: string | undefined,
): { readonly when: string; is(name: string, count: number): boolean } | undefined {
  if (text === undefined || text === '') return undefined;
  const [, when = '', what = ''] = /^(before|after):(\d+|open|close|(?:begin|end):[a-z-]+)$/.exec(text) ?? [];
  if (when === '') throw new Error(`${KILL_VARIABLE}=${text} names no journal record`);
  return { when, is: (name, count) => what === name || what === String(count) };
}

/** @returns the journal; where the variable names a record, one that kills this process there */
export function withKillDoor<P, O extends { readonly kind: string }>(
  journal: Journal<P, O>,
  environment: NodeJS.ProcessEnv,
): Journal<P, O> {
  const place = readPlace(environment[KILL_VARIABLE]);
  if (place === undefined) return journal;
  const kinds = new Map<string, string>();
  let count = 0;
  /** An end that was deferred, and has to be on the engine before this process dies. */
  let deferred: (() => Promise<void>) | undefined;

  const meets = (part: Part, kind: string | undefined): boolean => {
    count += 1;
    return place.is(kind === undefined ? part : `${part}:${kind}`, count);
  };
  const write = async (part: Part, kind: string | undefined, body: () => Promise<void>): Promise<void> => {
    if (deferred !== undefined) {
      await deferred();
      await die();
    }
    const met = meets(part, kind);
    if (met && place.when === 'before') await die();
    await body();
    if (met) await die();
  };
  const kindOf = (run: string, sequence: number): string => kinds.get(`${run}/${sequence}`) ?? 'unknown';
  return {
    ...journal,
    open: (record) => write('open', undefined, () => journal.open(record)),
    begin: (run, sequence, operation) => {
      kinds.set(`${run}/${sequence}`, operation.kind);
      return write('begin', operation.kind, () => journal.begin(run, sequence, operation));
    },
    end: (run, sequence, result, error) =>
      write('end', kindOf(run, sequence), () => journal.end(run, sequence, result, error)),
    endSoon: (run, sequence) => {
      if (!meets('end', kindOf(run, sequence))) journal.endSoon(run, sequence);
      else if (place.when === 'before') void die();
      // Nobody waits for a deferred end: this process dies at its next record, and that one is not written.
      else deferred = () => journal.end(run, sequence, 'done');
    },
    close: (run, outcome) => write('close', undefined, () => journal.close(run, outcome)),
  };
}

function die(): Promise<never> {
  process.kill(process.pid, 'SIGKILL');
  return new Promise<never>(() => undefined);
}
