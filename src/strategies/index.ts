import type { StrategyName } from '../model/plan.js';
import { recreate } from './recreate.js';
import type { Strategy } from './strategy.js';

/** Every strategy there is; a new one is one file and one line here. */
export const STRATEGIES: Readonly<Record<StrategyName, Strategy>> = { recreate };

/** @returns the strategy for `auto`: the best that needs nothing installed */
export function chooseStrategy(asked: 'auto' | StrategyName): Strategy {
  return asked === 'auto' ? recreate : STRATEGIES[asked];
}
