import { formatDuration } from '../../model/units.js';
import type { Session } from '../session.js';
import { addressOf } from './address.js';
import type { Probe } from './probe.js';

/** How long a container has to stay up, with its ports open, before it counts as ready. */
const STEADY_MS = 2_000;
const LONGEST_MS = 1_000;

/**
 * Where nothing better is known: it stays up, and every port that its service publishes accepts a connection at its own
 * address; it may be published by the edge instead. Without an address that can be reached nothing is known of its ports,
 * and staying up has to do.
 * @param published ports of the container that the compose file publishes
 */
export function stayingUpProbe(
  session: Pick<Session, 'clock' | 'engine' | 'probes'>,
  published: readonly number[],
): Probe {
  return {
    name: 'staying up with its ports open',
    async ask(container, leftMs, signal) {
      const upMs = session.clock.now() - Date.parse(container.startedAt);
      if (upMs < STEADY_MS) return { good: false, reached: true, said: `up for ${formatDuration(upMs)}` };
      const ports = new Set([...published, ...container.hostPorts.map((port) => port.container)]);
      const address = await addressOf(session.engine, container);
      if (address === undefined) return { good: true, reached: false, said: 'up, its ports cannot be asked' };
      const timeoutMs = Math.min(LONGEST_MS, leftMs);
      const answers = await Promise.all(
        [...ports].map(async (port) => {
          const answer = await session.probes.tcp({ address, port }, { timeoutMs, signal });
          return { ...answer, said: `${address}:${port}: ${answer.said}` };
        }),
      );
      return (
        answers.find((answer) => !answer.good && answer.reached) ?? {
          good: true,
          reached: true,
          said: 'up, its ports are open',
        }
      );
    },
  };
}
