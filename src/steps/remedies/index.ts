import type { ProcedureError } from '../../model/errors.js';
import type { ServicePlan } from '../../operations/plan.js';
import type { RemedyName } from '../../model/remedies.js';
import type { Run } from '../../run/run.js';
import { withRemedies, type Remedied } from '../../strategies/with-remedies.js';
import type { Candidate } from '../candidate.js';
import type { WantsPorts } from '../port-holder.js';
import type { Session, Viewing } from '../session.js';
import { freePort } from './free-port.js';
import type { Remedy } from './remedy.js';
import { restartDocker } from './restart-docker.js';

/** Every remedy. A name without one does not compile. */
const REMEDIES: Readonly<Record<RemedyName, Remedy>> = {
  'free-port': freePort,
  'restart-docker': restartDocker,
};

function asked({ request }: Run): readonly Remedy[] {
  return request.remedies.map((name) => REMEDIES[name]);
}

/** @returns what the remedies that were asked for do before a service is changed */
export async function remediesFor(viewing: Viewing, service: WantsPorts): Promise<Remedied> {
  const parts: Remedied[] = [];
  for (const remedy of asked(viewing)) {
    const part = await remedy.plan?.(viewing, service);
    if (part !== undefined) parts.push(part);
  }
  return { operations: parts.flatMap(({ operations }) => operations), notes: parts.flatMap(({ notes }) => notes) };
}

/** @returns the candidates with what is done before each of them is changed */
export async function withRemediesFor(
  viewing: Viewing,
  candidates: readonly Candidate[],
): Promise<readonly Candidate[]> {
  if (viewing.request.remedies.length === 0) return candidates;
  const all: Candidate[] = [];
  for (const candidate of candidates) {
    all.push(
      candidate.decision.kind === 'unchanged'
        ? candidate
        : { ...candidate, remedied: await remediesFor(viewing, candidate) },
    );
  }
  return all;
}

/** @returns whether an engine that did not answer may do so now, because a remedy was asked for and carried out */
export async function reviveEngine(run: Run, failure: ProcedureError): Promise<boolean> {
  for (const remedy of asked(run)) if ((await remedy.revive?.(run, failure)) === true) return true;
  return false;
}

/** @returns the plan of a service with what the remedies do first */
export function withFirst(plan: ServicePlan, remedied: Remedied): ServicePlan {
  if (plan.operations.length === 0) return plan;
  return {
    ...plan,
    notes: [...plan.notes, ...remedied.notes],
    operations: withRemedies(plan.operations, remedied),
  };
}

/** @returns whether somebody was ended for this plan, which nothing takes back */
export function freedPort({ begun }: Pick<Session, 'begun'>, { operations }: ServicePlan): boolean {
  return operations.some((one) => one.kind === 'free-port' && begun.includes(one));
}
