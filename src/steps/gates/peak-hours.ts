import { ProcedureError } from '../../model/errors.js';
import { peakAt } from '../../model/peak-hours.js';
import type { Run } from '../../run/run.js';
import type { GateFinding } from './pass-gate.js';

/** Runbook: never restart during peak usage, if avoidable. */
export function peakHoursGate({ clock, request }: Run): GateFinding {
  if (request.peakHours.length === 0) return { kind: 'pass', detail: 'no peak hours are given' };
  const window = peakAt(request.peakHours, new Date(clock.now()));
  if (window === undefined) return { kind: 'pass', detail: 'not in peak hours' };
  return {
    kind: 'refuse',
    error: new ProcedureError('E_GATE', `It is peak time (${window.text})`, {
      next: 'Wait until it is over, or set gates: peak-hours=warn or force: true. Nothing was changed.',
    }),
  };
}
