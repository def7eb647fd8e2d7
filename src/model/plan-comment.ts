import type { ShownPlan } from './plan.js';

/** What people are told on a pull request of what merging it would do. */
export interface PlanComment {
  readonly project: string;
  readonly host: string;
  readonly headline: string;
  /** Undefined where there is none, and the headline says why. */
  readonly plan: ShownPlan | undefined;
  readonly gone: readonly string[];
  /** What differs in `x-rolling-restart:`, as lines of a diff; its commands run on the host once it is merged. */
  readonly policy: readonly string[];
  readonly runUrl: string | undefined;
}
