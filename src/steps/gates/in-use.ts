import { ProcedureError } from '../../model/errors.js';
import type { GateFinding } from './pass-gate.js';

/** Data is not replaced under somebody who writes to it. @param others containers of other services that can */
export function inUseGate(service: string, others: readonly { readonly name: string }[]): GateFinding {
  if (others.length === 0) return { kind: 'pass', detail: `nothing but ${service} writes to its data` };
  const names = others.map(({ name }) => name).join(', ');
  return {
    kind: 'refuse',
    error: new ProcedureError(
      'E_GATE',
      `${names} can write to the data of ${service} as well, and would run meanwhile`,
      { next: `Stop ${names} first, or set force: true. Nothing was changed.` },
    ),
  };
}
