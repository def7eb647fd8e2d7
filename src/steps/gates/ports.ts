import { ProcedureError } from '../../model/errors.js';
import { findHolder, portsToGet, type WantsPorts } from '../port-holder.js';
import type { Viewing } from '../session.js';
import type { GateFinding } from './pass-gate.js';

/**
 * A port of the host that somebody else has would be found out when the old container is gone. Whoever has it may be
 * needed: it is ended only where `remedies` names `free-port`, as an operation of the plan.
 */
export async function portsGate(viewing: Viewing, wants: WantsPorts): Promise<GateFinding> {
  const { service } = wants;
  const mayFree = viewing.request.remedies.includes('free-port');
  const asked = portsToGet(wants);
  const freed: string[] = [];
  for (const port of asked) {
    const found = await findHolder(viewing, port, service);
    if (found === undefined) continue;
    if (mayFree && found.kind === 'may-end') {
      freed.push(`port ${port}, which ${found.words} has, is freed first (remedies: free-port)`);
      continue;
    }
    const stays = mayFree ? ', and free-port does not end it' : '';
    const why = found.kind === 'stays' ? `${stays}: ${found.why}` : '';
    return {
      kind: 'refuse',
      error: new ProcedureError('E_GATE', `${service} wants port ${port} of the host, which ${found.words} has${why}`, {
        next: `End what has it or publish another port, then run this again${found.kind === 'stays' ? '' : '; with remedies: free-port it is ended for you'}. Nothing was changed.`,
      }),
    };
  }
  if (freed.length > 0) return { kind: 'pass', detail: `${service}: ${freed.join('; ')}` };
  const words = asked.length === 0 ? 'has the ports it wants, or wants none' : `port ${asked.join(', ')} is free`;
  return { kind: 'pass', detail: `${service}: ${words}` };
}
