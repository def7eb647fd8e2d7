import { randomUUID } from 'node:crypto';
import { ProcedureError } from '../model/errors.js';
import type { Clock } from '../model/ports/clock.js';
import type { HeldLock, Locks } from '../model/ports/ledger.js';
import type { RecordsApi } from '../model/ports/records.js';
import { abandonedWith, describeOwner, publicOwner, type Generation, type Owner } from './generation.js';
import { holdLock } from './held-lock.js';
import { judgePresence, lookAtProcess, readIdentity } from '../host/identity.js';
import { createLivenessJudge, type Surroundings } from './lease.js';
import { createLockVolumes } from './lock-volumes.js';
import type { Records } from './records.js';
import { cancelled, DEFAULT_TIMING, type LockTiming } from './timing.js';

export interface LocksOptions {
  readonly api: RecordsApi;
  readonly project: string;
  readonly records: Records;
  readonly clock: Clock;
  /** What follows is for tests. */
  readonly surroundings?: Surroundings;
  readonly timing?: LockTiming;
}

/**
 * One procedure at a time per compose project on an engine (docs/adr/0002-lock-on-the-engine.md).
 * @returns the lock of `project`, the same one for every process that reaches this engine
 */
export function createLocks(options: LocksOptions): Locks {
  const { api, project, records, clock } = options;
  const surroundings = options.surroundings ?? { identity: readIdentity(), look: lookAtProcess };
  const timing = options.timing ?? DEFAULT_TIMING;
  const volumes = createLockVolumes(api, project);

  /** Makes the generation after `top`, ours. @returns undefined when another one was faster */
  const take = async (
    top: Generation | undefined,
    abandoned: readonly string[],
    { invocation, procedure }: AcquireOptions,
  ): Promise<HeldLock | undefined> => {
    const { identity } = surroundings;
    const owner: Owner = {
      run: invocation.runId,
      procedure,
      actor: invocation.actor,
      runUrl: invocation.runUrl,
      host: invocation.host,
      pid: identity.pid,
      since: new Date(clock.now()).toISOString(),
      identity,
    };
    const mine: Generation = { number: (top?.number ?? 0) + 1, nonce: randomUUID(), owner, abandoned };
    try {
      const { won } = await volumes.claim(mine);
      return won ? holdLock(project, mine, volumes, records, timing) : undefined;
    } catch (error) {
      // It may be ours on the engine all the same, held by a live process that does not know: let it go again.
      await letGo(mine).catch(() => undefined);
      throw error;
    }
  };

  const letGo = async (mine: Generation): Promise<void> => {
    const { highest } = await volumes.look();
    if (highest?.nonce !== mine.nonce) return;
    await volumes.claim({ ...mine, number: mine.number + 1, nonce: randomUUID(), owner: undefined });
  };

  /** Between two looks of a waiting run. @throws ProcedureError E_CANCELLED when the signal aborts */
  const pause = async (signal: AbortSignal): Promise<void> => {
    const [shortest, longest] = timing.pollMs;
    await clock.sleep(shortest + Math.random() * (longest - shortest), signal).catch((reason: unknown) => {
      throw cancelled(reason);
    });
  };

  return {
    async acquire(request) {
      const { signal } = request;
      const liveness = createLivenessJudge(records, surroundings, timing, clock);
      const startedAt = clock.monotonic();
      let shown: string | undefined;
      let asked: number | undefined;

      for (;;) {
        if (signal.aborted) throw cancelled(signal.reason);
        const { highest: top } = await volumes.look();
        const waitedMs = clock.monotonic() - startedAt;
        if (top?.owner === undefined) {
          const held = await take(top, top?.abandoned ?? [], request);
          if (held !== undefined) return held;
          continue;
        }
        const state = await liveness.judge(top);
        if (state === 'dead' || (request.interrupt && waitedMs >= request.yieldMs)) {
          const held = await take(top, abandonedWith(top), request);
          if (held !== undefined) return held;
          continue;
        }
        if (shown !== top.nonce) {
          shown = top.nonce;
          request.onWaiting(publicOwner(top.owner));
        }
        if (request.interrupt && asked !== top.number) {
          asked = top.number;
          await volumes.askToYield(top.number, yieldReason(request));
        }
        // An owner that cannot be seen is watched until it is known to live: giving up before would leave a dead one's
        // lock in place for ever, for runs whose timeout is shorter than the lease.
        if (!request.interrupt && state === 'alive' && waitedMs >= request.timeoutMs) throw locked(project, top.owner);
        await pause(signal);
      }
    },

    async holder() {
      const { highest } = await volumes.look();
      if (highest?.owner === undefined) return undefined;
      const presence = judgePresence(highest.owner.identity, surroundings.identity, surroundings.look);
      return {
        ...publicOwner(highest.owner),
        alive: presence === 'unseen' ? undefined : presence === 'alive',
        generation: highest.number,
      };
    },

    async left() {
      const { highest } = await volumes.look();
      if (highest?.owner === undefined) return highest?.abandoned ?? [];
      const presence = judgePresence(highest.owner.identity, surroundings.identity, surroundings.look);
      return presence === 'dead' ? abandonedWith(highest) : [];
    },

    async liveness(signal) {
      const liveness = createLivenessJudge(records, surroundings, timing, clock);
      for (;;) {
        if (signal.aborted) throw cancelled(signal.reason);
        const { highest: top } = await volumes.look();
        if (top?.owner === undefined) return 'free';
        const state = await liveness.judge(top);
        if (state !== 'unknown') return state;
        await pause(signal);
      }
    },

    async askToYield(reason) {
      const { highest } = await volumes.look();
      if (highest?.owner === undefined) return undefined;
      await volumes.askToYield(highest.number, reason);
      return { ...publicOwner(highest.owner), generation: highest.number };
    },

    async breakLock() {
      for (let attempt = 0; attempt < 20; attempt += 1) {
        const { highest: top } = await volumes.look();
        if (top?.owner === undefined) return undefined;
        const free = { number: top.number + 1, nonce: randomUUID(), owner: undefined, abandoned: abandonedWith(top) };
        const { won, view } = await volumes.claim(free);
        if (!won) continue;
        await volumes.clear(view, top.number);
        return publicOwner(top.owner);
      }
      throw new ProcedureError('E_LOCKED', `The lock of project ${project} changes hands all the time`, {
        next: 'See who takes it, stop those runs, and try again.',
      });
    },
  };
}

type AcquireOptions = Parameters<Locks['acquire']>[0];

function yieldReason({ procedure, invocation }: AcquireOptions): string {
  const link = invocation.runUrl === undefined ? '' : `, ${invocation.runUrl}`;
  return `${procedure} of ${invocation.actor} (run ${invocation.runId}${link}) asks for the lock`;
}

function locked(project: string, owner: Owner): ProcedureError {
  return new ProcedureError('E_LOCKED', `The lock of project ${project} is held by ${describeOwner(owner)}`, {
    next: 'Wait for that run to end, or give this one a longer lock-timeout. Procedures rollback and emergency do not wait: they interrupt it.',
  });
}
