import { setTimeout as sleep } from 'node:timers/promises';
import { connectionsIn, runtimeOf, type EdgeTools } from './containers.js';

const POLL_MS = 100;

/**
 * Ends a container of the edge: it takes no more connections, tells clients that keep theirs to come anew, and finishes
 * what it has, for as long as it may.
 * @returns connections that were cut
 */
export async function endGently(
  tools: EdgeTools,
  container: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<number> {
  const endsAt = performance.now() + timeoutMs;
  await tools.engine.killContainer(container, 'SIGUSR1');
  let left = 0;
  while ((await tools.engine.container(container))?.state === 'running') {
    signal.throwIfAborted();
    left = await connectionsIn(runtimeOf(tools, container));
    if (performance.now() > endsAt) break;
    await sleep(POLL_MS, undefined, { signal });
  }
  if ((await tools.engine.container(container))?.state !== 'running') return 0;
  await tools.engine.killContainer(container, 'SIGKILL');
  await tools.engine.stopContainer(container);
  return left;
}
