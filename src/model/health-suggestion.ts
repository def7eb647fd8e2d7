import type { HealthCheck } from './service.js';

/** A second start is seldom exactly as fast as the first. */
const MARGIN = 1.5;
const SECOND = 1_000;

/**
 * Settings under which a service that takes `startupMs` to become healthy is not called unhealthy before.
 * @param probeMs how long one run of the check takes
 * @returns lines for `healthcheck:` in the compose file; empty when the settings allow it already
 */
export function suggestHealthCheck(check: HealthCheck, startupMs: number, probeMs: number): readonly string[] {
  const lines: string[] = [];
  const period = roundUp(startupMs * MARGIN);
  const allowed = check.startPeriodMs + check.retries * check.intervalMs;
  if (allowed < period) lines.push(`start_period: ${period / SECOND}s (is ${check.startPeriodMs / SECOND}s)`);
  const timeout = roundUp(probeMs * 2);
  if (check.timeoutMs < timeout) lines.push(`timeout: ${timeout / SECOND}s (is ${check.timeoutMs / SECOND}s)`);
  return lines;
}

function roundUp(ms: number): number {
  return Math.ceil(ms / SECOND) * SECOND;
}
