import { z } from 'zod';
import type { Clock } from '../model/ports/clock.js';
import type { Generation } from './generation.js';
import type { ProcessIdentity, ProcessLook } from '../host/identity.js';
import { judgePresence } from '../host/identity.js';
import type { Records } from './records.js';
import type { LockTiming } from './timing.js';

/**
 * The lease of whoever holds the lock: the one record that is rewritten. Those who cannot see the holder's process watch
 * whether the counter moves; no clock is compared with another. One file for all generations: a holder that was fenced
 * and does not know yet may overwrite it once or twice, and the next renewal of the right one repairs that.
 */
const LEASE = 'lease.json';

const leaseSchema = z.object({ nonce: z.string(), counter: z.number() });

export async function writeLease(records: Records, nonce: string, counter: number): Promise<void> {
  await records.write(LEASE, { nonce, counter });
}

/** @returns the counter under this nonce; undefined when there is none, or it is being written at this moment */
async function readLease(records: Records, nonce: string): Promise<number | undefined> {
  const content = await records.read(LEASE);
  try {
    const lease = leaseSchema.safeParse(JSON.parse(content?.toString('utf8') ?? ''));
    return lease.success && lease.data.nonce === nonce ? lease.data.counter : undefined;
  } catch {
    return undefined;
  }
}

/** `unknown`: not seen, and not watched for long enough to say. */
export type Liveness = 'alive' | 'dead' | 'unknown';

export interface LivenessJudge {
  /** Whether the owner of this generation lives. Call it again and again: what it knows grows with each look. */
  judge(generation: Generation): Promise<Liveness>;
}

export interface Surroundings {
  readonly identity: ProcessIdentity;
  readonly look: (pid: number) => ProcessLook;
}

export function createLivenessJudge(
  records: Records,
  surroundings: Surroundings,
  timing: LockTiming,
  clock: Clock,
): LivenessJudge {
  const lookEveryMs = timing.leaseRenewMs / 5;
  let watched:
    { nonce: string; counter: number | undefined; moved: boolean; silentMs: number; lookedAt: number } | undefined;

  return {
    async judge(generation) {
      if (generation.owner === undefined) return 'dead';
      const presence = judgePresence(generation.owner.identity, surroundings.identity, surroundings.look);
      if (presence !== 'unseen') return presence;

      const { nonce } = generation;
      const now = clock.monotonic();
      if (watched?.nonce !== nonce) {
        watched = { nonce, counter: await readLease(records, nonce), moved: false, silentMs: 0, lookedAt: now };
        return 'unknown';
      }
      if (now - watched.lookedAt >= lookEveryMs) {
        const counter = await readLease(records, nonce);
        // When this process was itself suspended, the time in between was not watched.
        watched.silentMs += Math.min(now - watched.lookedAt, 2 * lookEveryMs);
        watched.lookedAt = now;
        if (counter !== undefined && counter !== watched.counter) {
          watched.counter = counter;
          watched.moved = true;
          watched.silentMs = 0;
        }
      }
      if (watched.silentMs >= timing.leaseSilenceMs) return 'dead';
      return watched.moved ? 'alive' : 'unknown';
    },
  };
}
