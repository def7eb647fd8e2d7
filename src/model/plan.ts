import type { Operation } from './operation.js';
import type { Release } from './release.js';

/** What will be done to one service, before it is done. Plain data: printed, journalled, executed and undone from. */
export interface ServicePlan {
  readonly service: string;
  readonly strategy: StrategyName;
  readonly decision: Decision;
  /** What differs in the configuration, as lines of a unified diff, secrets hidden. */
  readonly diff?: readonly string[] | undefined;
  /** Why this strategy, what it costs, what would make it better; one sentence each. */
  readonly notes: readonly string[];
  readonly operations: readonly Operation[];
  /** Expected outage in milliseconds; undefined when nothing is known yet. */
  readonly estimatedDowntimeMs: number | undefined;
}

export const STRATEGY_NAMES = ['recreate', 'hold', 'rolling', 'blue-green', 'canary'] as const;
export type StrategyName = (typeof STRATEGY_NAMES)[number];

/** What is going to happen and why. */
export type Decision =
  | { readonly kind: 'unchanged'; readonly release: Release | undefined }
  | { readonly kind: 'first-deploy' }
  | {
      readonly kind: 'change';
      readonly reasons: readonly string[];
      /** All is as wanted, and it does not serve: the change is to repair that. */
      readonly repairs?: boolean | undefined;
    };

export interface Plan {
  readonly procedure: string;
  /** Done first, for all services. Touches nothing that runs, but in a full restart, which takes all of it down. */
  readonly preparation: readonly Operation[];
  readonly services: readonly ServicePlan[];
}

/** @returns every operation in the order of execution */
export function allOperations(plan: Plan): readonly Operation[] {
  return [...plan.preparation, ...plan.services.flatMap((service) => service.operations)];
}
