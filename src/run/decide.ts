import { traitsOf, type Operation } from '../operations/operation.js';

/** What a change of a service has failed with, and what may be done about it. */
export interface FailedChange {
  /** Operations of the change that have begun, in order. */
  readonly begun: readonly Operation[];
  readonly cancelled: boolean;
  /** A warning sign was seen that leaves the release live and the job red (`on-warning: fail`). */
  readonly warned: boolean;
  /**
   * What was there before. `release`: another release, or another set of the same. `stopped`: the service was stopped. `nothing`:
   * a first deploy.
   */
  readonly before: 'release' | 'stopped' | 'nothing';
  /** The user's policy; a cancelled change goes back all the same. */
  readonly autoRollback: boolean;
}

/**
 * `take-back`: the service was not touched, and what was prepared for it is taken back. `accept`: the release is verified and live, its
 * watch was cut short, and it stays. `leave`: what is there stays as it is. `undo`: what was there before comes back.
 */
export type Answer = 'take-back' | 'accept' | 'leave' | 'undo';

/** @returns what follows from a failure; the outcome is `outcomeOf` */
export function decide({ begun, cancelled, warned, before, autoRollback }: FailedChange): Answer {
  if (!begun.some(touchesService)) return 'take-back';
  const watching = isWatching(begun);
  if (watching && (cancelled || warned)) return 'accept';
  if (warned || before === 'nothing') return 'leave';
  return autoRollback || cancelled ? 'undo' : 'leave';
}

/** @returns how a change ended that was answered in a way; an undo that fails is `rollback-failed` */
export function outcomeOf(answer: Answer, { cancelled, before }: FailedChange): 'cancelled' | 'failed' | 'rolled-back' {
  if (cancelled) return 'cancelled';
  return answer === 'undo' && before === 'release' ? 'rolled-back' : 'failed';
}

/** @returns whether the release is verified and under watch; between two batches it is not */
export function isWatching(begun: readonly Operation[]): boolean {
  const last = begun.findLast((operation) => operation.kind === 'watch');
  return last?.kind === 'watch' && last.between !== true;
}

/** @returns whether the service may differ after it. At the beginning a router is told by address what serves already; once something is replaced, `only` sends it back. */
export function touchesService(operation: Operation): boolean {
  const { interrupts, recovery } = traitsOf(operation);
  if (recovery === 'intent') return true;
  return interrupts && !(operation.kind === 'shift-traffic' && operation.serve.who === 'only');
}
