import type { ReadinessSignal } from '../../model/readiness.js';
import type { ObservedContainer } from '../../model/service.js';
import type { Session } from '../session.js';
import { commandProbe } from './command.js';
import { healthCheckProbe } from './health-check.js';
import { httpProbe } from './http.js';
import type { Probe } from './probe.js';
import { stayingUpProbe } from './staying-up.js';
import { tcpProbe } from './tcp.js';

/**
 * All of them have to be passed: the container's own health check where it has one, and what `readiness` says where it
 * says something; with neither, staying up.
 * @param published ports of the container that the compose file publishes
 */
export function probesFor(
  session: Pick<Session, 'clock' | 'engine' | 'probes' | 'redactor'>,
  container: ObservedContainer,
  readiness: ReadinessSignal | undefined,
  published: readonly number[],
): readonly Probe[] {
  const probes: Probe[] = [];
  if (container.healthCheck !== undefined) probes.push(healthCheckProbe(session, container.healthCheck));
  if (readiness !== undefined) probes.push(probeOf(session, readiness));
  return probes.length === 0 ? [stayingUpProbe(session, published)] : probes;
}

function probeOf(session: Pick<Session, 'engine' | 'probes' | 'redactor'>, readiness: ReadinessSignal): Probe {
  switch (readiness.kind) {
    case 'http':
      return httpProbe(session, readiness);
    case 'tcp':
      return tcpProbe(session, readiness);
    case 'command':
      return commandProbe(session, readiness.command);
  }
}
