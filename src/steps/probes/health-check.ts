import type { HealthCheck, ObservedContainer } from '../../model/service.js';
import { formatDuration } from '../../model/units.js';
import type { Session } from '../session.js';
import { askInContainer } from './in-container.js';
import type { Probe } from './probe.js';

/** Docker asking at least this often is as good as asking ourselves, and does not run the command twice as often. */
const OFTEN_MS = 250;

/** The container's own health-check command, or Docker's verdict: when that comes first, or where Docker asks as often. */
export function healthCheckProbe(session: Pick<Session, 'clock' | 'engine' | 'redactor'>, check: HealthCheck): Probe {
  const command = healthCommand(check);
  return {
    name: 'its health check, run by us',
    async ask(container, leftMs, signal) {
      if (container.health === 'healthy') return { good: true, reached: true, said: 'Docker calls it healthy' };
      if (asksOften(container, check, session.clock.now())) {
        return {
          good: false,
          reached: true,
          said: `Docker asks every ${formatDuration(check.startIntervalMs)}: ${container.health}`,
        };
      }
      if (command === undefined) return { good: false, reached: true, said: `its test is ${check.test.join(' ')}` };
      return askInContainer(session, container, command, Math.min(check.timeoutMs, leftMs), signal);
    },
  };
}

/** Docker uses `start_interval` only within `start_period`, and engines before 25 not at all: they do not show it. */
function asksOften(
  container: ObservedContainer,
  { startIntervalMs, startPeriodMs }: HealthCheck,
  nowMs: number,
): boolean {
  if (startIntervalMs > OFTEN_MS) return false;
  return container.health === 'starting' && nowMs - Date.parse(container.startedAt) < startPeriodMs;
}

/** @returns what to hand to exec; undefined for a form of test that Docker does not have */
export function healthCommand(check: HealthCheck): readonly string[] | undefined {
  const [form, ...rest] = check.test;
  if (form === 'CMD') return rest;
  if (form === 'CMD-SHELL') return ['/bin/sh', '-c', rest.join(' ')];
  return undefined;
}
