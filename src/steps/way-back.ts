import { isAccepted, previousRelease, type Release } from '../model/release.js';
import type { CurrentFacts } from '../strategies/decide.js';
import type { Current } from './candidate.js';

/**
 * The release that comes back when the next one fails: the one that runs. One that runs and never passed its
 * verification (its rollback was off, or failed) is nothing to go back to; then it is the one that was accepted last.
 */
export function releaseBefore({ release, history }: Current): Release | undefined {
  if (release === undefined || isAccepted(history, release.id)) return release;
  return previousRelease(history, release.id);
}

/** @returns what the decision between same and changed hangs on */
export function currentFacts({ release, history, files, containers }: Current): CurrentFacts {
  return { release, accepted: release === undefined || isAccepted(history, release.id), history, files, containers };
}
