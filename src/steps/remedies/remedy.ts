import type { ProcedureError } from '../../model/errors.js';
import type { RemedyName } from '../../model/remedies.js';
import type { Run } from '../../run/run.js';
import type { Remedied } from '../../strategies/with-remedies.js';
import type { WantsPorts } from '../port-holder.js';
import type { Viewing } from '../session.js';

/** Changes more than the service, and only where it is asked for by name. A new one is a file here and a line in `index.ts`. */
export interface Remedy {
  readonly name: RemedyName;
  /** What it does before a service is changed: operations of its plan. */
  plan?(viewing: Viewing, service: WantsPorts): Promise<Remedied>;
  /**
   * What it does for an engine that does not answer, before anything else.
   * @returns whether it did something, and asking the engine again makes sense
   * @throws ProcedureError E_REMEDY
   */
  revive?(run: Run, failure: ProcedureError): Promise<boolean>;
}
