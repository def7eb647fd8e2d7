import type { Engine } from '../../model/ports/engine.js';
import type { ProbeAnswer } from '../../model/ports/probe.js';
import type { ObservedContainer } from '../../model/service.js';

/**
 * Where a container is asked: its own address, and not the host's published port, behind which Docker's proxy accepts
 * before anything listens. One that uses the host's network is asked there, one that shares another's at that one's.
 * @returns undefined when it has no address
 */
export async function addressOf(
  engine: Pick<Engine, 'container'>,
  container: ObservedContainer,
): Promise<string | undefined> {
  const { addresses, networkMode } = container;
  if (networkMode === 'host') return '127.0.0.1';
  const shared = /^container:(.+)$/.exec(networkMode)?.[1];
  if (shared === undefined) return addresses[0];
  return (await engine.container(shared))?.addresses[0];
}

export const NO_ADDRESS: ProbeAnswer = { good: false, reached: false, said: 'the container has no network address' };
