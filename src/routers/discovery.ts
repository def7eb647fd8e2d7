import { setTimeout as sleep } from 'node:timers/promises';
import { ProcedureError } from '../model/errors.js';
import type { Engine } from '../model/ports/engine.js';
import type { Router } from '../model/ports/router.js';
import type { RouterSpec } from '../model/router.js';
import type { ObservedContainer } from '../model/service.js';
import { formatDuration } from '../model/units.js';
import { NO_ROUTER } from './none.js';

type Discovery = Extract<RouterSpec, { kind: 'discovery' }>;
type Tools = Pick<Engine, 'container' | 'exec'>;

/** The proxy waits for Docker's verdict, and so does this: with an interval of 30 s it comes late. */
const VERDICT_MS = 180_000;
const COMMAND_MS = 30_000;
const POLL_MS = 200;

/**
 * A proxy that follows Docker by itself: Traefik, nginx-proxy, caddy-docker-proxy. It cannot be told anything, so it is shown
 * something: new containers serve when Docker calls them healthy; those that shall not serve get the drain command, which
 * makes their health check fail, and the proxy has its time to see it.
 */
export function openDiscovery(tools: Tools, spec: Discovery): Router {
  const { drainCommand } = spec;
  return {
    // Nothing more can be asked of it than of no router at all.
    ...NO_ROUTER,
    spec,
    async apply(targets, signal, when) {
      // Between changes it is the proxy's own business.
      if (when === 'settled') return;
      const serving = targets.filter(({ weight }) => weight > 0).map(({ container }) => container);
      const leaving = targets.filter(({ weight }) => weight === 0).map(({ container }) => container);
      await Promise.all(serving.map((container) => healthy(tools, spec, container, signal)));
      // Seen by the proxy before the first of the others goes.
      await sleep(spec.settleMs, undefined, { signal });
      if (leaving.length === 0 || drainCommand === undefined) return;
      await Promise.all(leaving.map((container) => drained(tools, drainCommand, container, signal)));
      await sleep(spec.settleMs, undefined, { signal });
    },
  };
}

/** One that was drained and shall serve again is told so first. */
async function healthy(tools: Tools, spec: Discovery, seen: ObservedContainer, signal: AbortSignal): Promise<void> {
  const now = await tools.container(seen.id);
  if (now?.health === 'unhealthy' && spec.resumeCommand !== undefined) {
    await command(tools, 'resume-command', spec.resumeCommand, seen, signal);
  }
  if (seen.healthCheck === undefined) return;
  await until(tools, seen, (health) => health === 'healthy', 'is not healthy', signal);
}

async function drained(tools: Tools, words: string, seen: ObservedContainer, signal: AbortSignal): Promise<void> {
  await command(tools, 'drain-command', words, seen, signal);
  if (seen.healthCheck === undefined) return;
  await until(tools, seen, (health) => health !== 'healthy', 'is healthy still, after its drain-command', signal);
}

async function command(
  { exec }: Tools,
  name: string,
  words: string,
  { id, name: container }: ObservedContainer,
  signal: AbortSignal,
): Promise<void> {
  const { exitCode, output } = await exec(id, ['sh', '-c', words], { timeoutMs: COMMAND_MS, signal });
  if (exitCode === 0) return;
  throw new ProcedureError('E_ROUTER', `${name} ended with ${exitCode} in ${container}`, {
    next: `Try it by hand: docker exec ${container} sh -c '${words}'. It stands in x-rolling-restart in the compose file.`,
    excerpt: [{ title: name, lines: output.trim().split('\n').slice(-20) }],
  });
}

async function until(
  { container }: Tools,
  { id, name }: ObservedContainer,
  right: (health: ObservedContainer['health']) => boolean,
  wrong: string,
  signal: AbortSignal,
): Promise<void> {
  const endsAt = performance.now() + VERDICT_MS;
  for (;;) {
    signal.throwIfAborted();
    const now = await container(id);
    // Gone: no proxy sends it anything.
    if (now?.state !== 'running' || right(now.health)) return;
    if (performance.now() > endsAt) {
      throw new ProcedureError('E_ROUTER', `${name} ${wrong}, after ${formatDuration(VERDICT_MS)}`, {
        next: 'A proxy that discovers goes by Docker’s health: look at docker inspect, State.Health, and at the interval of the health check.',
      });
    }
    await sleep(POLL_MS, undefined, { signal });
  }
}
