import type { ReadinessSignal } from '../../model/readiness.js';
import { describeReadiness } from '../../model/readiness.js';
import type { Session } from '../session.js';
import { addressOf, NO_ADDRESS } from './address.js';
import type { Probe } from './probe.js';

const LONGEST_MS = 5_000;

/** A GET at the container's own address. */
export function httpProbe(
  session: Pick<Session, 'engine' | 'probes' | 'redactor'>,
  wanted: Extract<ReadinessSignal, { kind: 'http' }>,
): Probe {
  const { port, path, tls } = wanted;
  return {
    name: describeReadiness(wanted),
    async ask(container, leftMs, signal) {
      const address = await addressOf(session.engine, container);
      if (address === undefined) return NO_ADDRESS;
      const timeoutMs = Math.min(LONGEST_MS, leftMs);
      const answer = await session.probes.http({ address, port, path, tls }, { timeoutMs, signal });
      return { ...answer, said: `${address}:${port}: ${session.redactor.text(answer.said)}` };
    },
  };
}
