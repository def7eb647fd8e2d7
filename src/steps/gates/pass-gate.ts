import { ProcedureError } from '../../model/errors.js';
import type { ProcedureName } from '../../model/request.js';
import type { GateResult } from '../../run/recorder.js';
import type { Run } from '../../run/run.js';

/** What makes good what is wrong now is not kept waiting: what a gate finds is reported and passed. */
export const URGENT: ReadonlySet<ProcedureName> = new Set(['emergency', 'rollback']);

/** A check that may refuse before anything changes. @returns what it found; throwing is left to `passGate` */
export type GateFinding =
  | { readonly kind: 'pass'; readonly detail: string }
  | { readonly kind: 'warn'; readonly detail: string }
  | { readonly kind: 'refuse'; readonly error: ProcedureError };

/**
 * Records what a gate found and refuses when it has to; `force` passes a refusing gate and records who did.
 * @throws ProcedureError the gate's own
 */
export function passGate(run: Run, gate: string, asFound: GateFinding): void {
  const finding = asSet(run, gate, asFound);
  const keep = (state: GateResult['state'], detail: string): void => {
    run.recorder.gates.push({ gate, state, detail });
  };
  switch (finding.kind) {
    case 'off':
      keep('off', 'switched off by the input gates');
      return;
    case 'pass':
      keep('passed', finding.detail);
      run.progress.info(`✓ gate ${gate}: ${finding.detail}`);
      return;
    case 'warn':
      keep('warned', finding.detail);
      run.progress.warning(`gate ${gate}: ${finding.detail}`);
      return;
    case 'refuse':
      if (run.request.force) {
        const why = run.request.reason === undefined ? '' : `: ${run.request.reason}`;
        keep('forced', `${finding.error.message} (passed by ${run.invocation.actor} with force${why})`);
        run.progress.warning(
          `gate ${gate}: ${finding.error.message}; passed because of force, by ${run.invocation.actor}${why}`,
        );
        run.recorder.note(`gate ${gate} passed with force by ${run.invocation.actor}${why}: ${finding.error.message}`);
        return;
      }
      keep('refused', finding.error.message);
      throw finding.error;
  }
}

/** What the input `gates` makes of a finding; gates that it cannot set are not in it. */
function asSet({ request }: Run, gate: string, finding: GateFinding): GateFinding | { readonly kind: 'off' } {
  const mode = request.gates[gate];
  if (mode === undefined) return finding;
  if (mode === 'off') return { kind: 'off' };
  if (mode === 'warn') return finding.kind === 'refuse' ? { kind: 'warn', detail: finding.error.message } : finding;
  // What makes good what is wrong now is never refused by what is only set to be strict.
  if (finding.kind !== 'warn' || URGENT.has(request.procedure)) return finding;
  const next = `Correct it, or leave ${gate}=enforce out of gates: it only warns then. Nothing was changed.`;
  return { kind: 'refuse', error: new ProcedureError('E_GATE', finding.detail, { next }) };
}
