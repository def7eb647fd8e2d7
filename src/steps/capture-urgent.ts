import { Readable } from 'node:stream';
import { ProcedureError } from '../model/errors.js';
import type { Clock } from '../model/ports/clock.js';
import { isAlive, type ObservedContainer } from '../model/service.js';
import { formatDuration } from '../model/units.js';
import type { Run } from '../run/run.js';
import { writeOrWarn } from '../run/write-or-warn.js';

/** A frozen service is down: each piece of evidence has this long, all of them at once. */
const PIECE_MS = 8_000;
/** What a process that understands signal 3 needs to write what its threads do. */
const DUMP_MS = 500;
const NEWEST_LINES = 50_000;
/** A thread dump, and what led to it. */
const DUMP_LINES = 5_000;

/**
 * What can be had of a container that is going to be killed, within bounds and piece by piece: an engine that gives no log
 * may well give the rest. Signal 3 comes last: a JVM writes what its threads do and goes on, and process 1 that does not
 * handle it is not harmed, but nginx, PostgreSQL and gunicorn end at it, and so does what an init process hands it on to.
 */
export async function captureUrgently(
  run: Run,
  container: ObservedContainer,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const { engine, evidence } = run;
  const { id } = container;
  const piece = async (what: string, take: () => Promise<unknown>): Promise<void> => {
    const evidenceOf = `Evidence of ${container.name} (${what})`;
    await writeOrWarn(run.progress, evidenceOf, () => within(run.clock, PIECE_MS, what, take()), signal);
  };
  const newest = async (lines: number, file: string): Promise<void> => {
    const bounded = run.clock.deadline(PIECE_MS, signal);
    const log = await engine.logs(id, { timestamps: true, tail: lines, signal: bounded });
    await evidence.stream(`${folder}/${file}`, log, bounded);
  };
  await Promise.all([
    piece('inspect output', async () => evidence.json(`${folder}/inspect.json`, await engine.inspectContainer(id))),
    piece('log', () => newest(NEWEST_LINES, 'log.txt')),
    ...(isAlive(container)
      ? [
          piece('list of processes', async () => {
            const text = Buffer.from(`${(await engine.top(id)).join('\n')}\n`);
            await evidence.stream(`${folder}/top.txt`, Readable.from([text]));
          }),
          piece('resource use', async () => {
            const use = await engine.stats(id);
            if (use !== undefined) await evidence.json(`${folder}/stats.json`, use);
            else run.progress.warning(`evidence of ${container.name}: no resource use: the engine measured none`);
          }),
        ]
      : []),
  ]);
  // Not before a graceful stop, for the sake of those that end at it.
  if (container.state !== 'running' || run.request.procedure !== 'emergency') return;
  await piece('thread dump', async () => {
    await engine.killContainer(id, 'SIGQUIT');
    await run.clock.sleep(DUMP_MS, signal);
    await newest(DUMP_LINES, 'thread-dump.txt');
  });
}

/** What goes on after the time is over ends by its own deadline; nobody waits for it. */
async function within<T>(clock: Clock, ms: number, what: string, work: Promise<T>): Promise<T> {
  work.catch(() => undefined);
  const over = new AbortController();
  const late = clock.sleep(ms, over.signal).then(() => {
    throw new ProcedureError('E_DEADLINE', `it did not come within ${formatDuration(ms)}`, {
      next: `Go on without ${what}.`,
    });
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    over.abort();
  }
}
