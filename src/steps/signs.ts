import { ProcedureError, type Excerpt } from '../model/errors.js';
import type { Severity, WarningAction, WarningSign } from '../model/policy.js';
import type { Run } from '../run/run.js';

/** Signs that were raised for one service, so that each is said once and its action decides once. */
export interface SignSource {
  readonly raised: WarningSign[];
  /** Error lines that the release before wrote in its last minutes; undefined when nothing ran. */
  errorsBefore: number | undefined;
  /** The release of before is being brought back: no warning sign stands in its way, only a check that fails. */
  goingBack: boolean;
}

/** @returns the signs of a service of which none was raised yet */
export function noSigns(): SignSource {
  return { raised: [], errorsBefore: undefined, goingBack: false };
}

/** How far back the log of the release before is read, to compare error lines with. */
export const ERRORS_BEFORE_WINDOW_MS = 5 * 60_000;

/**
 * Many services log the word error without harm, so a new release is compared with the one before it.
 * @returns severity and words for `count` error lines
 */
export function errorLinesSign(
  count: number,
  sample: string,
  source: SignSource,
): { readonly severity: Severity; readonly message: string } {
  const before = source.errorsBefore;
  const compared =
    before === undefined
      ? ''
      : ` (the release before: ${before} in its last ${ERRORS_BEFORE_WINDOW_MS / 60_000} minutes)`;
  return {
    severity: before !== undefined && before >= count ? 'low' : 'medium',
    message: `${count} error ${count === 1 ? 'line' : 'lines'} in the log${compared}, such as: ${sample}`,
  };
}

/** A warning sign whose action is `fail` or `rollback`. */
export class WarningSignError extends ProcedureError {
  constructor(
    readonly sign: WarningSign,
    excerpt: readonly Excerpt[],
  ) {
    super('E_WARNING_SIGN', sign.message, {
      next:
        sign.action === 'fail'
          ? 'on-warning says fail: the release stays live; look into it, or go back with procedure rollback.'
          : excerpt.length === 0
            ? 'Fix that and deploy again; the log of the release that failed is in the evidence.'
            : 'Its state and last log lines are shown with this error; fix what they say and deploy again.',
      excerpt,
    });
  }
}

/**
 * Signs that say something of the compose file, of a container that has ended or of this run, and nothing against what runs:
 * nothing that `on-warning` could decide would change it any more.
 */
const ONLY_TOLD: ReadonlySet<WarningSign['sign']> = new Set(['no-health-check', 'killed-after-grace', 'note']);

/** Signs whose words carry a count that goes on rising: the last count stands in the report, and the log is spared. */
const SAID_ONCE: ReadonlySet<WarningSign['sign']> = new Set(['error-lines', 'failed-requests', 'memory-rises']);

/**
 * Records a sign and does what `on-warning` says for its severity.
 * @throws WarningSignError when that is `fail` or `rollback`
 */
export function raise(
  run: Run,
  source: SignSource,
  seen: Pick<WarningSign, 'sign' | 'severity' | 'service' | 'message'>,
  excerpt: readonly Excerpt[] = [],
): void {
  const told = source.goingBack || ONLY_TOLD.has(seen.sign);
  const action: WarningAction = told ? 'warn' : run.request.onWarning[seen.severity];
  const sign: WarningSign = { ...seen, action, at: new Date(run.clock.now()).toISOString() };
  const known = source.raised.find(
    (other) =>
      other.sign === sign.sign &&
      other.service === sign.service &&
      // What led back stays in the report, whatever the release of before does.
      !(source.goingBack && other.action !== 'warn') &&
      (SAID_ONCE.has(sign.sign) || other.message === sign.message),
  );
  if (known === undefined) {
    source.raised.push(sign);
    run.recorder.warn(sign);
  } else if (SAID_ONCE.has(sign.sign)) {
    source.raised.splice(source.raised.indexOf(known), 1, sign);
    run.recorder.warnAgain(known, sign);
  }
  if (known?.severity !== sign.severity) {
    run.progress.warning(`${sign.service}: ${sign.message} [${sign.severity}: ${action}]`);
  }
  if (action !== 'warn') throw new WarningSignError(sign, excerpt);
}
