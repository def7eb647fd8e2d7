import type { ReleaseId } from './release.js';

export const STRATEGY_NAMES = ['recreate', 'hold', 'rolling', 'blue-green', 'canary'] as const;
export type StrategyName = (typeof STRATEGY_NAMES)[number];

/** What is going to happen and why. */
export type Decision =
  | { readonly kind: 'unchanged'; readonly release: ReleaseId | undefined }
  | { readonly kind: 'first-deploy' }
  | {
      readonly kind: 'change';
      readonly reasons: readonly string[];
      /** All is as wanted, and it does not serve: the change is to repair that. */
      readonly repairs?: boolean | undefined;
    };

/** What will be done to one service, before it is done. */
export interface PlanOfService<O> {
  readonly service: string;
  readonly strategy: StrategyName;
  readonly decision: Decision;
  /** What differs in the configuration, as lines of a unified diff, secrets hidden. */
  readonly diff?: readonly string[] | undefined;
  /** Why this strategy, what it costs, what would make it better; one sentence each. */
  readonly notes: readonly string[];
  readonly operations: readonly O[];
  /** Expected outage in milliseconds; undefined when nothing is known yet. */
  readonly estimatedDowntimeMs: number | undefined;
}

/** A plan of operations: plain data that is printed, journalled, performed and undone. */
export interface PlanOf<O> {
  readonly procedure: string;
  /** Done first, for all services. Touches nothing that runs, except in a full restart, which takes all of it down. */
  readonly preparation: readonly O[];
  readonly services: readonly PlanOfService<O>[];
}

/** An operation as reports show it: its own fields, and its words. */
export interface ShownOperation {
  readonly kind: string;
  readonly service?: string | undefined;
  /** What it does. */
  readonly text: string;
  /** Whether it may change what runs, or the checkout it runs from. */
  readonly changes: boolean;
  /** What undoes it, or why nothing does. */
  readonly undo: { readonly kind: 'operation' | 'none'; readonly text: string };
}

export type ShownPlan = PlanOf<ShownOperation>;
export type ShownServicePlan = PlanOfService<ShownOperation>;
