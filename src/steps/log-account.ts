import type { LogOptions } from '../model/ports/engine.js';
import { countErrors, errorMatcher, type ErrorCount } from './log-lines.js';
import type { Session } from './session.js';

export interface Counted {
  readonly errors: number;
  readonly lines: number;
}

/** What the containers of a run have written: the release that failed, and the one that came back after it. */
export class LogAccount {
  private closed: Counted | undefined;
  private open: Counted | undefined;

  /** Each reading begins where the release began, and so takes the place of the one before. */
  counted({ errors, lines }: Counted): void {
    this.open = { errors, lines };
  }

  /** Another release is read from now on. */
  close(): void {
    this.closed = this.all();
    this.open = undefined;
  }

  /** @returns undefined when nobody has read a log */
  all(): Counted | undefined {
    const { closed, open } = this;
    if (closed === undefined || open === undefined) return closed ?? open;
    return { errors: closed.errors + open.errors, lines: closed.lines + open.lines };
  }
}

const READ_MS = 30_000;

/** Counts the error lines in the logs of containers. */
export async function countInLogs(
  { clock, engine, request }: Pick<Session, 'clock' | 'engine' | 'request'>,
  containers: readonly { readonly id: string }[],
  { signal, ...options }: Pick<LogOptions, 'since' | 'tail' | 'signal'>,
): Promise<ErrorCount> {
  const matcher = errorMatcher(request);
  let sum: ErrorCount = { errors: 0, lines: 0, samples: [] };
  for (const { id } of containers) {
    const log = await engine.logs(id, { ...options, signal: signal ?? clock.deadline(READ_MS) });
    const { errors, lines, samples } = await countErrors(log, matcher);
    sum = { errors: sum.errors + errors, lines: sum.lines + lines, samples: [...sum.samples, ...samples] };
  }
  return sum;
}
