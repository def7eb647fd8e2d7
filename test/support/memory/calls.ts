import { abortFailure, deadlineFailure } from '../../../src/engine/failures.js';
import { ProcedureError } from '../../../src/model/errors.js';
import type { DockerWorld } from './docker.js';
import { answer, MEMORY_HOST, Refusal, type Faults } from './faults.js';
import { within } from './timers.js';

/** As the adapter's (`src/engine/client.ts`). */
const SIMPLE_CALL_MS = 10_000;

export interface Call {
  /** Name of the member of the port. */
  readonly member: string;
  /** Completes "the engine could not …". */
  readonly what: string;
  /** Whom it is about. */
  readonly target?: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
  /** Statuses that are success: "already so". */
  readonly fine?: readonly number[];
}

export type Caller = <T>(call: Call, perform: () => Promise<T> | T) => Promise<T | undefined>;

/** @returns what carries a call out as the adapter's client does: with a deadline, a signal, and its errors */
export function callsTo({ clock }: DockerWorld, faults: Faults): Caller {
  let connected = false;

  return async ({ member, what, target = '', timeoutMs = SIMPLE_CALL_MS, signal, fine = [] }, perform) => {
    // The adapter's first call asks for the version, and says so when nothing comes back.
    const late = (): Error => (connected ? deadlineFailure(what, timeoutMs) : silent());
    try {
      const work = () => faults.apply(member, what, target, perform);
      const ms = connected ? timeoutMs : SIMPLE_CALL_MS;
      const result = await within(clock, work, { ms, late, signal, aborted: (why) => abortFailure(what, why) });
      connected = true;
      return result;
    } catch (error) {
      if (error instanceof Refusal) connected = true;
      if (!(error instanceof Refusal)) throw error;
      if (fine.includes(error.status)) return undefined;
      throw answer(what, error.status, error.message);
    }
  };
}

function silent(): ProcedureError {
  return new ProcedureError(
    'E_ENGINE_UNREACHABLE',
    `The Docker engine at ${MEMORY_HOST} takes connections and does not answer`,
    { next: 'Look whether the Docker engine is busy or hangs (`docker info`), and start the run again.' },
  );
}
