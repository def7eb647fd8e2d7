import { ProcedureError } from '../../model/errors.js';
import { isAlive } from '../../model/service.js';
import type { Candidate } from '../candidate.js';
import type { GateFinding } from './pass-gate.js';
import type { Viewing } from '../session.js';

/**
 * A port of the host that somebody else has would be found out when the old container is gone. Freeing it is for a person:
 * whoever has it may be needed.
 */
export async function portsGate(viewing: Viewing, candidate: Candidate): Promise<GateFinding> {
  const { service, definition, current, traffic } = candidate;
  // What keeps restarting has its ports for moments only, and is just what an update may be the fix of.
  const own = new Set(
    current.containers.flatMap((container) => [
      ...container.hostPorts.map(({ host }) => host),
      ...(isAlive(container) ? container.boundPorts : []),
    ]),
  );
  const wanted = definition.ports.flatMap(({ published, protocol }) =>
    protocol === 'tcp' && /^\d+$/.test(published ?? '') ? [Number(published)] : [],
  );
  // The edge has them, and containers behind it get none.
  const asked = traffic.router.kind === 'edge' ? [] : wanted.filter((port) => !own.has(port));
  for (const port of asked) {
    const holder = await holderOf(viewing, port);
    if (holder === undefined) continue;
    return {
      kind: 'refuse',
      error: new ProcedureError('E_GATE', `${service} wants port ${port} of the host, which ${holder} has`, {
        next: `End what has it or publish another port, then run this again. Nothing was changed.`,
      }),
    };
  }
  const words = asked.length === 0 ? 'has the ports it wants, or wants none' : `port ${asked.join(', ')} is free`;
  return { kind: 'pass', detail: `${service}: ${words}` };
}

/** @returns who has a port of the host, for a person to read; undefined when it is free as far as can be seen from here */
export async function holderOf(
  { engine, listeners }: Pick<Viewing, 'engine' | 'listeners'>,
  port: number,
): Promise<string | undefined> {
  const [container] = await engine.publishers(port);
  if (container !== undefined) return `container ${container}`;
  const process = await listeners.on(port);
  if (process === undefined) return undefined;
  return process.name === undefined
    ? 'a process of another user'
    : `process ${process.name} (pid ${process.pid ?? '?'})`;
}
