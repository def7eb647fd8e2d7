import type { HealthCheck } from '../../model/service.js';
import type { Session } from '../session.js';
import { askInContainer } from './in-container.js';
import type { Probe } from './probe.js';

/** The container's own health-check command, or Docker's verdict when that comes first. */
export function healthCheckProbe(session: Pick<Session, 'engine' | 'redactor'>, check: HealthCheck): Probe {
  const command = healthCommand(check);
  return {
    name: 'its health check, run by us',
    async ask(container, leftMs, signal) {
      if (container.health === 'healthy') return { good: true, reached: true, said: 'Docker calls it healthy' };
      if (command === undefined) return { good: false, reached: true, said: `its test is ${check.test.join(' ')}` };
      return askInContainer(session, container, command, Math.min(check.timeoutMs, leftMs), signal);
    },
  };
}

/** @returns what to hand to exec; undefined for a form of test that Docker does not have */
export function healthCommand(check: HealthCheck): readonly string[] | undefined {
  const [form, ...rest] = check.test;
  if (form === 'CMD') return rest;
  if (form === 'CMD-SHELL') return ['/bin/sh', '-c', rest.join(' ')];
  return undefined;
}
