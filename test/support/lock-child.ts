/**
 * A process of its own that takes a project's lock and does with it what its standard input says.
 * Arguments: project, run id, and the lock's timing as JSON (optional). Answers with one JSON line each.
 */
import { createInterface } from 'node:readline';
import { createClock } from '../../src/host/clock.js';
import { createLocks } from '../../src/ledger/locks.js';
import type { LockTiming } from '../../src/ledger/timing.js';
import { createRecords } from '../../src/ledger/records.js';
import { ProcedureError } from '../../src/model/errors.js';
import { engineRecords } from './engine-records.js';
import { lockRequest } from './lock-requests.js';

const codeOf = (error: unknown): string => (error instanceof ProcedureError ? error.code : String(error));

async function main(): Promise<void> {
  const [, , project = '', run = '', timing] = process.argv;
  const say = (answer: object): void => void process.stdout.write(`${JSON.stringify(answer)}\n`);

  const api = engineRecords();
  const locks = createLocks({
    api,
    project,
    records: createRecords(api, project),
    clock: createClock(),
    ...(timing === undefined ? {} : { timing: JSON.parse(timing) as LockTiming }),
  });
  const lock = await locks.acquire(lockRequest(run));
  lock.yieldRequested.addEventListener('abort', () => say({ asked: String(lock.yieldRequested.reason) }));
  say({ generation: lock.generation, abandoned: lock.abandoned, pid: process.pid });

  for await (const line of createInterface(process.stdin)) {
    try {
      if (line === 'check') await lock.check();
      if (line === 'release') await lock.release();
      say({ done: line });
    } catch (error) {
      say({ failed: line, code: codeOf(error) });
    }
  }
}

main().catch((error: unknown) => {
  process.stdout.write(`${JSON.stringify({ failed: 'acquire', code: codeOf(error) })}\n`);
  process.exitCode = 1;
});
