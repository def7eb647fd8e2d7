import { ProcedureError } from '../../model/errors.js';
import type { Run } from '../../run/run.js';
import type { ImageOrigin } from '../image-origin.js';
import { passGate, type GateFinding } from './pass-gate.js';

/** @returns false when the registry does not have it and this engine does @throws ProcedureError E_GATE */
export async function isInRegistry(run: Run, reference: string, origin: ImageOrigin): Promise<boolean> {
  const finding = await registryGate(run, reference, origin === 'registry-or-engine');
  passGate(run, 'registry', finding);
  return finding.kind !== 'warn';
}

/** What a registry says that answers and does not have an image; "denied" may as well be a login that has expired. */
const HAS_NOT = /no such manifest|manifest unknown|name unknown|not found/i;

/**
 * The registry has to answer before anything is built on the assumption that it does.
 * @param orLocal the engine has an image of this name too, and it may have been built there: then a registry that does not
 *   know it is only worth a warning
 */
export async function registryGate(run: Run, reference: string, orLocal = false): Promise<GateFinding> {
  const problem = await run.compose.registryProblem(reference, 20_000);
  if (problem === undefined) return { kind: 'pass', detail: `the registry has ${reference}` };
  if (orLocal && HAS_NOT.test(problem)) {
    return { kind: 'warn', detail: `${problem}; the image of that name on this engine is taken` };
  }
  const local = orLocal ? ' To take the one that this engine has, give its id, or set pull_policy: missing.' : '';
  return {
    kind: 'refuse',
    error: new ProcedureError('E_GATE', `The image cannot be pulled: ${problem}`, {
      next: `Check the name, log in with docker login on this host, or try again; nothing was changed.${local}`,
    }),
  };
}
