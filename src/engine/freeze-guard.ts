import { startWatchdog, type Watched } from '../host/watchdog.js';
import { ProcedureError } from '../model/errors.js';
import type { FreezeGuard, GuardedFreeze } from '../model/ports/data.js';
import type { EngineClient } from './client.js';
import { short } from './containers.js';
import type { Endpoint } from './endpoint.js';
import { unlessStatus } from './failures.js';

/** A request to pause is carried out at once; one to stop takes the grace time, and that much more. */
const UNDER_WAY_MS = 3_000;
/** The engine's grace time where the container has none of its own, and what stands for "wait for ever" (-1). */
const DEFAULT_GRACE_S = 10;
const ENDLESS_GRACE_S = 600;

interface Answer {
  readonly State: { readonly StartedAt: string };
  readonly Config: { readonly StopTimeout?: number };
}

/** Starts what lets containers go on when this process is killed. To be called before the first of them is frozen. */
export async function guardFreeze(
  client: EngineClient,
  run: string,
  { how, containers, limitMs }: GuardedFreeze,
): Promise<FreezeGuard> {
  const watched: Watched['containers'][number][] = [];
  for (const id of containers) {
    const looking = client.getJson(`inspect container ${short(id)}`, `/containers/${id}/json`);
    const answer = (await unlessStatus([404], undefined, looking)) as Answer | undefined;
    if (answer === undefined) continue;
    const grace = answer.Config.StopTimeout ?? DEFAULT_GRACE_S;
    const graceMs = how === 'pause' ? 0 : (grace < 0 ? ENDLESS_GRACE_S : grace) * 1_000;
    watched.push({ id, startedAt: answer.State.StartedAt, tryMs: graceMs + UNDER_WAY_MS });
  }
  try {
    const engine = engineOf(client.endpoint);
    const watchdog = await startWatchdog(run, { how, containers: watched, engine, limitMs });
    return { end: () => watchdog.dismiss() };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ProcedureError('E_BACKUP', `The watchdog of a backup could not be started: ${reason}`, {
      next: 'Look whether this user may start more processes. Nothing was changed.',
      cause: error,
    });
  }
}

function engineOf({ dockerOptions }: Endpoint): Watched['engine'] {
  const { socketPath, host, port, protocol, ca, cert, key } = dockerOptions;
  if (socketPath !== undefined) return { socketPath };
  const tls = protocol === 'https';
  return {
    host,
    port,
    protocol: tls ? 'https:' : 'http:',
    // As text: buffers are none in JSON.
    ...(tls ? { ca: pem(ca), cert: pem(cert), key: pem(key), rejectUnauthorized: !('agent' in dockerOptions) } : {}),
  };
}

function pem(material: unknown): string | undefined {
  return Buffer.isBuffer(material) ? material.toString('utf8') : undefined;
}
