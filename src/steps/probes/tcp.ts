import { describeReadiness, type ReadinessSignal } from '../../model/readiness.js';
import type { Session } from '../session.js';
import { addressOf, NO_ADDRESS } from './address.js';
import type { Probe } from './probe.js';

const LONGEST_MS = 1_000;

/** A connection at the container's own address. */
export function tcpProbe(
  session: Pick<Session, 'engine' | 'probes'>,
  wanted: Extract<ReadinessSignal, { kind: 'tcp' }>,
): Probe {
  const { port } = wanted;
  return {
    name: describeReadiness(wanted),
    async ask(container, leftMs, signal) {
      const address = await addressOf(session.engine, container);
      if (address === undefined) return NO_ADDRESS;
      const answer = await session.probes.tcp({ address, port }, { timeoutMs: Math.min(LONGEST_MS, leftMs), signal });
      return { ...answer, said: `${address}:${port}: ${answer.said}` };
    },
  };
}
