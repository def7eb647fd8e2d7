import { ProcedureError } from '../model/errors.js';
import type { HeldLock } from '../model/ports/ledger.js';
import { randomUUID } from 'node:crypto';
import type { LockTiming } from './timing.js';
import { abandonedWith, describeOwner, type Generation, type LockView } from './generation.js';
import { writeLease } from './lease.js';
import type { LockVolumes } from './lock-volumes.js';
import type { Records } from './records.js';

/**
 * The lock while it is held: proves itself before every effect, keeps its lease, listens for requests to yield.
 * `yieldRequested` aborts as well when the lock was taken over, so that a run does not go on until its next effect.
 */
export function holdLock(
  project: string,
  mine: Generation,
  volumes: LockVolumes,
  records: Records,
  timing: LockTiming,
): HeldLock {
  const yielding = new AbortController();
  let released: Promise<void> | undefined;

  const look = async (): Promise<LockView> => {
    const view = await volumes.look();
    const request = view.yields.find(({ generation }) => generation === mine.number);
    if (request !== undefined && !yielding.signal.aborted) yielding.abort(asked(request.reason));
    return view;
  };

  const renewing = repeat(timing.leaseRenewMs, async (round) => writeLease(records, mine.nonce, round));
  const watching = repeat(timing.watchMs, async () => {
    const view = await look();
    if (isValid(view, mine)) return;
    if (!yielding.signal.aborted) yielding.abort(fenced(project, view, mine));
    void renewing.stop();
  });

  const stop = async (): Promise<void> => {
    await Promise.all([renewing.stop(), watching.stop()]);
  };

  /** @param abandoned runs that the next owner has to recover */
  const giveBack = async (abandoned: readonly string[]): Promise<void> => {
    await stop();
    const view = await volumes.look();
    // Taken over: what there is belongs to others, and whoever did it clears ours away.
    if (!isValid(view, mine)) return;
    const { view: after } = await volumes.claim({
      number: mine.number + 1,
      nonce: randomUUID(),
      owner: undefined,
      abandoned,
    });
    await volumes.clear(after, mine.number);
  };

  const once = async (abandoned: readonly string[]): Promise<void> => {
    released ??= giveBack(abandoned);
    try {
      await released;
    } catch (error) {
      released = undefined;
      throw error;
    }
  };

  return {
    generation: mine.number,
    abandoned: mine.abandoned,
    yieldRequested: yielding.signal,
    async check() {
      const view = await look();
      if (!isValid(view, mine)) throw fenced(project, view, mine);
    },
    release: () => once([]),
    leave: () => once(abandonedWith(mine)),
    async dissolve(body) {
      // A lease that is renewed meanwhile would make the records anew.
      await stop();
      const view = await volumes.look();
      if (!isValid(view, mine)) throw fenced(project, view, mine);
      await body();
      await volumes.clear(view, mine.number - 1);
      // Its own generation last: until then nobody else has the lock.
      await volumes.clear(await volumes.look(), mine.number);
    },
  };
}

function asked(request: string): ProcedureError {
  return new ProcedureError('E_CANCELLED', `Another run asked this one to yield: ${request}`, {
    next: 'What is live now is said below. Start this one again when the other one has ended, if there was another.',
  });
}

function isValid(view: LockView, mine: Generation): boolean {
  return view.highest?.number === mine.number && view.highest.nonce === mine.nonce;
}

function fenced(project: string, view: LockView, mine: Generation): ProcedureError {
  const { highest } = view;
  const next = 'Nothing more was done by this run. See what the other run did before starting this one again.';
  if (highest === undefined || highest.number < mine.number) {
    return new ProcedureError('E_FENCED', `The lock of project ${project} is gone from the engine (volumes pruned?)`, {
      next,
    });
  }
  const taker =
    highest.owner === undefined ? 'a person took it away, or its next owner has ended' : describeOwner(highest.owner);
  return new ProcedureError('E_FENCED', `The lock of project ${project} was taken over: ${taker}`, { next });
}

/**
 * Does something at once and then again and again without keeping the process alive. A failure waits for the next round:
 * an engine that is away for a moment costs nothing, since `check` is what proves the lock.
 */
function repeat(everyMs: number, task: (round: number) => Promise<void>): { stop(): Promise<void> } {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let current: Promise<void> = Promise.resolve();
  const run = (round: number): void => {
    current = task(round)
      .catch(() => undefined)
      .then(() => {
        if (!stopped) timer = setTimeout(run, everyMs, round + 1).unref();
      });
  };
  run(1);
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await current;
    },
  };
}
