import { ProcedureError } from '../model/errors.js';
import { stoppedOnPurpose, type ReleaseEvent } from '../model/release.js';
import { isAlive } from '../model/service.js';
import type { Current } from './candidate.js';
import { passGate, type GateFinding } from './gates/pass-gate.js';
import type { Viewing } from './session.js';

/** @returns who stopped the service, while it is stopped: what somebody started by hand since then runs */
export function isStopped({ history, containers }: Pick<Current, 'history' | 'containers'>): ReleaseEvent | undefined {
  return containers.some(isAlive) ? undefined : stoppedOnPurpose(history);
}

/**
 * A service that was stopped on purpose is not started by a procedure that was not asked to. One that is named is
 * refused; others are left out, and that is said.
 * @returns the services that are left
 * @throws ProcedureError E_GATE
 */
export async function withoutStopped(viewing: Viewing, services: readonly string[]): Promise<readonly string[]> {
  const { engine, ledger, project, request } = viewing;
  const left: string[] = [];
  const out: ProcedureError[] = [];
  for (const service of services) {
    const [containers, history] = await Promise.all([engine.containers(project, service), ledger.history(service)]);
    const stop = isStopped({ containers: containers.map((one) => ({ ...one, fingerprint: undefined })), history });
    if (stop === undefined) {
      left.push(service);
      continue;
    }
    const refusal = stoppedError(service, stop);
    if (request.services.includes(service) || request.force) {
      passGate(viewing, 'stopped', { kind: 'refuse', error: refusal });
      left.push(service);
      continue;
    }
    out.push(refusal);
    viewing.progress.warning(`${refusal.message}: it is left alone`);
    viewing.recorder.nextSteps.push(`${refusal.message}, and was left alone. To start it: procedure start.`);
  }
  const [first] = out;
  if (left.length === 0 && first !== undefined) throw first;
  return left;
}

/** @returns what an emergency makes of it: the person who names the service wants it to run */
export function startedAllTheSame(service: string, stop: ReleaseEvent | undefined): GateFinding {
  if (stop === undefined) return { kind: 'pass', detail: `${service} was not stopped on purpose` };
  return { kind: 'warn', detail: `${stoppedError(service, stop).message}: it is started all the same` };
}

/** `who: why`, as it is kept. */
export function describeStop({ at, reason }: ReleaseEvent): string {
  return `stopped on purpose since ${at} (${reason})`;
}

function stoppedError(service: string, stop: ReleaseEvent): ProcedureError {
  return new ProcedureError('E_GATE', `${service} is ${describeStop(stop)}`, {
    next: `Start it with procedure start and service: ${service}, or set force: true to start it with this change. Nothing was changed.`,
  });
}
