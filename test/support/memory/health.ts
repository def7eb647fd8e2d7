import type { HealthCheck, HealthState } from '../../../src/model/service.js';

interface Course {
  readonly check: HealthCheck;
  /** All times in milliseconds of the clock that only grows. */
  readonly startedAt: number;
  /** From then on its process passes the check; Infinity: never. */
  readonly readyAt: number;
}

/** The health of one start of a container. */
export interface Health {
  readonly status: HealthState;
  readonly failingStreak: number;
  /** When the probe that counted last was made. */
  readonly probedAt: number;
  /** The last five probes. */
  readonly log: readonly Probe[];
}

interface Probe {
  readonly passed: boolean;
  readonly at: number;
}

const LOGGED = 5;

export function firstHealth(startedAt: number): Health {
  return { status: 'starting', failingStreak: 0, probedAt: startedAt, log: [] };
}

/**
 * The engine probes for the first time after an interval; in the start period by its own interval, where failures do not count
 * (moby, daemon/health.go).
 * @returns the health after the next probe
 */
export function nextProbe(health: Health, { check, startedAt, readyAt }: Course): Health {
  const inStartPeriod = health.probedAt - startedAt < check.startPeriodMs && health.status === 'starting';
  const probedAt = health.probedAt + (inStartPeriod ? check.startIntervalMs : check.intervalMs);
  const passed = probedAt >= readyAt;
  const seen = { probedAt, log: [...health.log, { passed, at: probedAt }].slice(-LOGGED) };
  if (passed) return { status: 'healthy', failingStreak: 0, ...seen };
  if (health.status === 'starting' && probedAt - startedAt < check.startPeriodMs) return { ...health, ...seen };
  const failingStreak = health.failingStreak + 1;
  return { status: failingStreak >= check.retries ? 'unhealthy' : health.status, failingStreak, ...seen };
}

/** Probes that are looked ahead at most: a container that waits longer to become ready is looked at again then. */
const LOOK_AHEAD = 100_000;

/** @returns the health after the next probe that changes the status; undefined: nothing changes any more */
export function nextChange(from: Health, course: Course): Health | undefined {
  let health = from;
  for (let probe = 0; probe < LOOK_AHEAD; probe += 1) {
    const next = nextProbe(health, course);
    if (next.status !== health.status) return next;
    if (course.readyAt === Infinity && next.status === 'unhealthy') return undefined;
    if (next.status === 'healthy' && next.probedAt >= course.readyAt) return undefined;
    health = next;
  }
  return undefined;
}

/** @returns the health that the engine has now */
export function healthAt(from: Health, course: Course, now: number): Health {
  let health = skipAlike(from, course, now);
  for (;;) {
    const next = nextProbe(health, course);
    if (next.probedAt > now) return health;
    health = next;
  }
}

/** Hours of probes that all have the same answer are not made one by one. */
function skipAlike(health: Health, { check, readyAt }: Course, now: number): Health {
  const passes = health.status === 'healthy' && readyAt <= health.probedAt;
  const fails = health.status === 'unhealthy' && readyAt === Infinity;
  const probes = Math.floor((now - health.probedAt) / check.intervalMs) - LOGGED;
  if ((!passes && !fails) || probes <= 0) return health;
  return {
    ...health,
    failingStreak: fails ? health.failingStreak + probes : 0,
    probedAt: health.probedAt + probes * check.intervalMs,
  };
}
