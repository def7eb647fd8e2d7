import type { Plan } from './plan.js';

/** What people are told on a pull request of what merging it would do. */
export interface PlanComment {
  readonly project: string;
  readonly host: string;
  readonly headline: string;
  readonly commit: string;
  readonly plan: Plan;
  readonly gone: readonly string[];
  readonly runUrl: string | undefined;
}
