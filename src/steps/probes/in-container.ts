import { asProcedureError } from '../../model/errors.js';
import type { ProbeAnswer } from '../../model/ports/probe.js';
import type { ObservedContainer } from '../../model/service.js';
import { reasonOf } from '../../run/abort-reason.js';
import type { Session } from '../session.js';

const SHOWN_CHARACTERS = 500;

/** Runs a command in a container: ready is 0. An exec that the engine refuses means: not yet. */
export async function askInContainer(
  session: Pick<Session, 'engine' | 'redactor'>,
  container: ObservedContainer,
  command: readonly string[],
  timeoutMs: number,
  signal: AbortSignal,
): Promise<ProbeAnswer> {
  try {
    const { exitCode, output } = await session.engine.exec(container.id, command, { timeoutMs, signal });
    const words = session.redactor.text(output.trim()).slice(-SHOWN_CHARACTERS);
    return { good: exitCode === 0, reached: true, said: `exit ${exitCode}: ${words}` };
  } catch (error) {
    if (signal.aborted) throw reasonOf(signal);
    return { good: false, reached: true, said: session.redactor.text(asProcedureError(error).message) };
  }
}
