import type { ProcedureError } from '../../model/errors.js';
import type { ObservedContainer, ServiceDefinition } from '../../model/service.js';
import type { Session } from '../session.js';

/** What failed, as it is there right now, before anything is undone. */
export interface Failed {
  readonly session: Session;
  readonly service: string;
  readonly definition: ServiceDefinition;
  readonly failure: ProcedureError;
  readonly containers: readonly ObservedContainer[];
  /** The newest lines of the log of the container that is worst off, redacted. */
  readonly log: readonly string[];
  /** Nothing serves until the diagnosis is over: what takes seconds to find out is found out by fewer tries. */
  readonly hasty: boolean;
  readonly signal: AbortSignal;
}

/** How long one question to an engine that may hang is waited for; milliseconds. */
export const ASK_MS = { calm: 2_500, hasty: 1_300 } as const;

/** One thing that may be the reason. A new one is a file here and a line in `index.ts`. */
export interface Finding {
  readonly name: string;
  /** @returns one or two sentences: what is wrong, and what to do; undefined when it is not that */
  look(failed: Failed): Promise<string | undefined>;
}

/** Resolves when the signal aborts: what is raced against it is not waited for. */
export function over(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined), { once: true }));
}
