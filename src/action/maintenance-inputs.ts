import { PHASE_CHOICES, PHASES, type MaintenanceSettings, type Phase } from '../model/maintenance.js';
import type { InputReader } from './input-reader.js';

/** What a maintenance does without `phase`: the work, and the proof that it went well. */
const DEFAULT_PHASES: readonly Phase[] = ['perform', 'verify'];

/** Which part of a maintenance is carried out, and what is planned. */
export function readMaintenance(input: InputReader): MaintenanceSettings {
  const asked = input.text('phase') === undefined ? undefined : input.choice('phase', PHASE_CHOICES);
  return {
    phases: asked === undefined ? DEFAULT_PHASES : asked === 'all' ? PHASES : [asked],
    startsAt: readMoment(input),
    durationMs: input.duration('maintenance-duration', 60_000) ?? 0,
    impact: input.text('impact') ?? '',
    loadTest: input.text('load-test'),
  };
}

function readMoment(input: InputReader): string | undefined {
  const text = input.text('maintenance-start');
  if (text === undefined) return undefined;
  // With its zone: what a runner takes for local time is not what people read on a status page.
  if (
    /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/.test(text) &&
    !Number.isNaN(Date.parse(text))
  ) {
    return new Date(text).toISOString();
  }
  input.problem('maintenance-start', `"${text}" is not a time with its zone, such as 2026-12-01T02:00:00Z`);
  return undefined;
}
