import { ProcedureError, type ErrorCode } from '../../../src/model/errors.js';
import { formatDuration } from '../../../src/model/units.js';
import type { DockerWorld } from './docker.js';
import { Refusal } from './faults.js';
import { within } from './timers.js';

export interface ComposeProcess {
  /** Awaited before each call to the engine: throws when the process has been ended. */
  readonly step: (what: string) => Promise<void>;
}

interface Invocation {
  /** Name of the member of the port. */
  readonly member: string;
  readonly title: string;
  readonly code: ErrorCode;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

type Run = (invocation: Invocation, work: (process: ComposeProcess) => Promise<void>) => Promise<void>;

/** @returns what runs Compose as a process: ended by its deadline or an abort, it makes no further step */
export function composeProcesses(world: DockerWorld): Run {
  return async ({ member, title, code, signal, timeoutMs }, work) => {
    let ended = false;
    const step = async (what: string): Promise<void> => {
      await world.faults.apply('step', title, what, () => undefined);
      if (ended) throw new Error(`${title} was ended before it could ${what}`);
    };
    try {
      await within(world.clock, () => world.faults.apply(member, title, '', () => work({ step })), {
        ms: timeoutMs,
        late: () => late(title, timeoutMs),
        signal,
        aborted: ({ reason }) => cancelled(title, reason),
      });
    } catch (error) {
      const message = reasonOf(error);
      if (message === undefined) throw error;
      throw new ProcedureError(code, `${title} failed (exit code 1): ${message}`, {
        next: 'Compose says below why; docker compose ps shows what is live.',
        excerpt: [{ title, lines: [`Error response from daemon: ${message}`] }],
      });
    } finally {
      ended = true;
    }
  };
}

/** @returns what Compose prints when the engine refuses it, or does not answer; undefined for any other error */
function reasonOf(error: unknown): string | undefined {
  if (error instanceof Refusal) return error.message;
  if (!(error instanceof ProcedureError)) return undefined;
  if (error.code === 'E_ENGINE') return error.message;
  return error.code === 'E_ENGINE_UNREACHABLE' ? 'Cannot connect to the Docker daemon' : undefined;
}

/** As `src/host/child.ts` has it. */
function late(title: string, timeoutMs: number): ProcedureError {
  return new ProcedureError('E_DEADLINE', `"${title}" took longer than ${formatDuration(timeoutMs)} and was ended`, {
    next: 'See what it was waiting for in its last output.',
  });
}

function cancelled(title: string, reason: unknown): ProcedureError {
  const known = reason instanceof ProcedureError ? reason : undefined;
  const why = known?.message ?? 'The run was cancelled';
  return new ProcedureError(known?.code ?? 'E_CANCELLED', `${why}; "${title}" was ended`, {
    next: known?.next ?? 'Start the procedure again when ready.',
  });
}
