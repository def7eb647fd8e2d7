import { abortFailure } from '../../../src/engine/failures.js';
import { ProcedureError } from '../../../src/model/errors.js';
import type { ExecOptions, ExecResult } from '../../../src/model/ports/engine.js';
import { formatDuration } from '../../../src/model/units.js';
import type { Program } from './behavior.js';
import type { Caller } from './calls.js';
import { isRunning } from './container.js';
import type { DockerWorld } from './docker.js';
import { Refusal } from './faults.js';
import { after, within } from './timers.js';

const ALWAYS: Readonly<Record<string, Program>> = { true: { code: 0 }, false: { code: 1 } };
/** The engine kills what runs in a container that ends. */
const KILLED = 137;

/** A command in a running container: a program of its image, by the first word. */
export async function runProgram(
  { containers, clock }: DockerWorld,
  call: Caller,
  id: string,
  command: readonly string[],
  { timeoutMs, signal }: ExecOptions,
): Promise<ExecResult> {
  const [name = ''] = command;
  const what = `run ${name} in container ${id}`;
  const target = containers.find(id)?.name ?? id;
  const container = await call({ member: 'exec', what: `prepare to ${what}`, target, timeoutMs, signal }, () => {
    const found = containers.demand(id);
    if (found.state === 'paused') {
      throw new Refusal(409, `Container ${found.id} is paused, unpause the container before exec`);
    }
    if (!isRunning(found)) throw new Refusal(409, `container ${found.id} is not running`);
    return found;
  });
  const program = { ...ALWAYS, ...container?.image.behavior.programs }[name];
  if (container === undefined || program === undefined) {
    return { exitCode: 127, output: `exec: "${name}": executable file not found in $PATH` };
  }
  const { code, output, takesMs = 0 } = program;
  const done = { exitCode: code, output: output === undefined ? '' : `${output}\n` };
  if (takesMs === 0) return done;
  const work = () =>
    new Promise<ExecResult>((resolve) => {
      const ended = (): void => resolve({ exitCode: KILLED, output: '' });
      container.atEnd.add(ended);
      after(clock, takesMs, () => {
        container.atEnd.delete(ended);
        resolve(done);
      });
    });
  return within(clock, work, {
    ms: timeoutMs,
    late: () => tookTooLong(name, timeoutMs),
    signal,
    aborted: (why) => abortFailure(what, why),
  });
}

function tookTooLong(name: string, timeoutMs: number): ProcedureError {
  return new ProcedureError('E_DEADLINE', `${name} did not end within ${formatDuration(timeoutMs)} in the container`, {
    next: 'It may still run there: Docker has no way to end it. Give it more time, or find out what it waits for.',
  });
}
