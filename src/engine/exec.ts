import { setTimeout as sleep } from 'node:timers/promises';
import { pipeline } from 'node:stream/promises';
import { ProcedureError } from '../model/errors.js';
import type { ExecOptions, ExecResult } from '../model/ports/engine.js';
import { formatDuration } from '../model/units.js';
import type { EngineClient } from './client.js';
import { short } from './containers.js';
import { abortFailure } from './failures.js';
import { FrameStripper } from './frames.js';

const DEFAULT_OUTPUT_LIMIT = 64 * 1024;
/** The end of the output can be there before the exit code is. */
const EXIT_POLL_MS = 10;
const LF = 0x0a;

/**
 * Runs a command in a running container and waits for its end. A command that cannot be started ends as it does with
 * `docker exec`: exit code 126 or 127, with the reason as output.
 *
 * The API cannot end a command that it has started: after the deadline or an abort it goes on in the container, unheard.
 * @throws ProcedureError E_DEADLINE, E_CANCELLED, E_ENGINE when the container does not run or is gone
 */
export async function execute(
  client: EngineClient,
  id: string,
  command: readonly string[],
  options: ExecOptions,
): Promise<ExecResult> {
  const { timeoutMs, environment = {}, signal, user, outputLimit = DEFAULT_OUTPUT_LIMIT } = options;
  const what = `run ${command[0] ?? ''} in container ${short(id)}`;
  const deadline = AbortSignal.timeout(timeoutMs);
  const either = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
  try {
    const exec = await client.call(
      `prepare to ${what}`,
      (docker, abortSignal) =>
        docker.getContainer(id).exec({
          Cmd: [...command],
          Env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
          AttachStdout: true,
          AttachStderr: true,
          ...(user === undefined ? {} : { User: user }),
          abortSignal,
        }),
      { signal: either },
    );
    const request = { method: 'POST', path: `/exec/${exec.id}/start`, body: { Detach: false, Tty: false } } as const;
    const response = await client.open(what, request, { signal: either });
    const output = new Tail(outputLimit);
    await pipeline(response, new FrameStripper(), async (bytes: AsyncIterable<Buffer>) => {
      for await (const chunk of bytes) output.add(chunk);
    });
    return { exitCode: await exitCode(client, exec.id, what, either), output: output.text() };
  } catch (error) {
    if (signal?.aborted === true) throw abortFailure(what, signal);
    if (deadline.aborted) throw tookTooLong(command, timeoutMs);
    throw client.broken(what, error);
  }
}

async function exitCode(client: EngineClient, exec: string, what: string, signal: AbortSignal): Promise<number> {
  for (;;) {
    const { Running, ExitCode } = await client.call(
      `read how it ended to ${what}`,
      (docker, abortSignal) => docker.getExec(exec).inspect({ abortSignal }),
      { signal },
    );
    if (!Running && ExitCode !== null) return ExitCode;
    await sleep(EXIT_POLL_MS, undefined, { signal });
  }
}

function tookTooLong(command: readonly string[], timeoutMs: number): ProcedureError {
  const name = command[0] ?? 'the command';
  return new ProcedureError('E_DEADLINE', `${name} did not end within ${formatDuration(timeoutMs)} in the container`, {
    next: 'It may still run there: Docker has no way to end it. Give it more time, or find out what it waits for.',
  });
}

/** Keeps the end of what it is given. */
class Tail {
  private readonly chunks: Buffer[] = [];
  private length = 0;

  constructor(private readonly limit: number) {}

  add(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.length += chunk.length;
    for (;;) {
      const [oldest] = this.chunks;
      if (oldest === undefined || this.length - oldest.length < this.limit) return;
      this.chunks.shift();
      this.length -= oldest.length;
    }
  }

  text(): string {
    const all = Buffer.concat(this.chunks);
    if (all.length <= this.limit) return all.toString('utf8');
    const kept = all.subarray(all.length - this.limit);
    // From the next line on: half of a secret, or of a character, is not recognised any more.
    return kept.subarray(kept.indexOf(LF) + 1).toString('utf8');
  }
}
