import type { OutcomeKind } from './outcome.js';
import { formatDuration } from './units.js';

/** The phases of the runbook's Procedure 5, in order. */
export const PHASES = ['announce', 'precheck', 'perform', 'verify', 'complete'] as const;
export type Phase = (typeof PHASES)[number];
export const PHASE_CHOICES = [...PHASES, 'all'] as const;

export interface MaintenanceSettings {
  /** In order. */
  readonly phases: readonly Phase[];
  /** Planned beginning, ISO 8601; undefined: a day from now. */
  readonly startsAt: string | undefined;
  readonly durationMs: number;
  readonly impact: string;
  readonly loadTest: string | undefined;
}

/** A line of the ledger: what happened in a maintenance window. Added, never rewritten. */
export interface MaintenanceRecord {
  readonly at: string;
  readonly window: string;
  readonly kind: 'announced' | 'prechecked' | 'performing' | 'performed' | 'verified' | 'completed';
  readonly run: string;
  readonly by: string;
  readonly outcome: OutcomeKind | undefined;
  readonly startsAt: string | undefined;
  readonly plannedMs: number | undefined;
  /** What the status page says after it, as far as it was told by us. */
  readonly page: 'maintenance' | 'operational' | undefined;
  readonly services: readonly string[];
  readonly issues: readonly string[];
}

/** A maintenance window, put together from its records. */
export interface MaintenanceWindow {
  readonly id: string;
  readonly announcedAt: string | undefined;
  readonly startsAt: string | undefined;
  readonly plannedMs: number | undefined;
  readonly from: string | undefined;
  readonly to: string | undefined;
  /** How the work that was done last ended; undefined while it is done, or when it was killed. */
  readonly outcome: OutcomeKind | undefined;
  readonly verified: boolean;
  readonly completed: boolean;
  readonly page: 'maintenance' | 'operational' | undefined;
  readonly services: readonly string[];
  readonly issues: readonly string[];
}

/** @param records of one project, oldest first @returns the window that was begun last */
export function lastWindow(records: readonly MaintenanceRecord[]): MaintenanceWindow | undefined {
  const id = records.at(-1)?.window;
  const own = records.filter(({ window }) => window === id);
  if (id === undefined) return undefined;
  const announced = own.find(({ kind }) => kind === 'announced');
  const begun = own.filter(({ kind }) => kind === 'performing');
  const done = own.findLast(({ kind }) => kind === 'performed' || kind === 'performing');
  const verified = own.findLast(({ kind }) => kind === 'verified' || kind === 'performing');
  const ends = own.filter(({ kind }) => kind === 'performed' || kind === 'verified');
  return {
    id,
    announcedAt: announced?.at,
    startsAt: announced?.startsAt,
    plannedMs: own.findLast(({ plannedMs }) => plannedMs !== undefined)?.plannedMs,
    from: begun[0]?.at,
    to: ends.at(-1)?.at,
    outcome: done?.kind === 'performed' ? done.outcome : undefined,
    verified: verified?.kind === 'verified' && verified.outcome === 'completed',
    completed: own.some(({ kind }) => kind === 'completed'),
    page: own.findLast(({ page }) => page !== undefined)?.page,
    services: [...new Set(own.flatMap(({ services }) => services))],
    // What a precheck found was put right before anything was done.
    issues: [...new Set(ends.flatMap(({ issues }) => issues))],
  };
}

/** Whether what is to be done belongs to it: work that failed is done again in the same window. */
function isOpen(window: MaintenanceWindow | undefined): window is MaintenanceWindow {
  return window !== undefined && !window.completed && !window.verified;
}

/** Phases that look back at a window that is verified already. */
const LOOKS_BACK: ReadonlySet<Phase> = new Set(['verify', 'complete']);

/**
 * Which window a run works in: the one that it has worked in already, else the one that is open, or that it looks back at,
 * else a new one, which has the run's name. An announcement begins a new one in any case.
 * @param records of one project, oldest first @param phases that the run carries out, in order
 */
export function windowFor(records: readonly MaintenanceRecord[], phases: readonly Phase[], run: string): string {
  const own = records.findLast((record) => record.run === run);
  if (own !== undefined) return own.window;
  const [first] = phases;
  if (first === 'announce') return run;
  const last = lastWindow(records);
  const looksBack = first !== undefined && LOOKS_BACK.has(first);
  return last !== undefined && (looksBack || isOpen(last)) ? last.id : run;
}

export interface MaintenanceSummary {
  readonly actualMs: number;
  readonly issues: string;
  readonly notes: string;
}

/** The runbook's closing announcement, computed; undefined when nothing was performed. */
export function summaryOf(window: MaintenanceWindow): MaintenanceSummary | undefined {
  if (window.from === undefined || window.to === undefined) return undefined;
  const actualMs = Math.max(0, Date.parse(window.to) - Date.parse(window.from));
  const planned = window.plannedMs === undefined ? '' : `, planned ${formatDuration(window.plannedMs)}`;
  const services = window.services.length === 0 ? 'nothing had to be changed' : window.services.join(', ');
  const lead = window.announcedAt === undefined ? undefined : Date.parse(window.from) - Date.parse(window.announcedAt);
  return {
    actualMs,
    issues: window.issues.length === 0 ? 'none' : window.issues.join('; '),
    notes: [
      `${services}: ${window.outcome ?? 'not ended'}`,
      window.verified ? 'verified' : 'not verified',
      `${formatDuration(actualMs)}${planned}`,
      ...(lead === undefined ? ['not announced'] : [`announced ${formatDuration(lead)} before`]),
    ].join('; '),
  };
}
