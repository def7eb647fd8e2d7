import type { OutcomeKind } from './outcome.js';

/**
 * What GitHub's Deployments say of a change: one record for each, with statuses.
 * https://docs.github.com/rest/deployments/deployments, https://docs.github.com/rest/deployments/statuses
 */
export type DeploymentState = 'in_progress' | 'success' | 'failure' | 'error' | 'inactive';

/** What a change is to be known by, from its beginning. */
export interface DeploymentStart {
  readonly environment: string;
  /** Full commit id: what GitHub calls the ref. */
  readonly commit: string;
  readonly description: string;
  readonly origin: DeploymentOrigin;
}

/** Kept with the record (as its payload): who made it, and for what. Records of others have none of it. */
export interface DeploymentOrigin {
  /** Our run; there is one record a run. */
  readonly run: string;
  readonly project: string;
  readonly host: string;
  readonly procedure: string;
  readonly services: readonly string[];
  readonly by: string;
  /** What the run was for, as in `refs/tags/v1.2.3`. */
  readonly ref?: string | undefined;
  /** What `image` named: with a digest, exactly what is deployed. */
  readonly image: string | undefined;
  /** What is deployed of each service, by digest, where it was built once (`push-to`). */
  readonly images?: Readonly<Record<string, string>>;
}

export interface DeploymentStatus {
  readonly state: DeploymentState;
  readonly description: string;
  readonly logUrl: string | undefined;
  readonly environmentUrl: string | undefined;
}

/** GitHub takes no longer ones. */
const LONGEST_DESCRIPTION = 140;

/** @returns the text as GitHub takes it */
export function shortDescription(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length <= LONGEST_DESCRIPTION ? line : `${line.slice(0, LONGEST_DESCRIPTION - 1)}…`;
}

/**
 * @param live whether every service of the run is live with what was wanted, verified
 * @returns what is true of the change after a run that ended so
 */
export function stateAfter(outcome: OutcomeKind, live: boolean): Exclude<DeploymentState, 'in_progress' | 'inactive'> {
  switch (outcome) {
    case 'deployed':
    case 'unchanged':
    case 'completed':
      return 'success';
    case 'cancelled':
      // Cut short in its watch, it stays.
      return live ? 'success' : 'failure';
    case 'failed':
    case 'refused':
    case 'rolled-back':
      return 'failure';
    case 'rollback-failed':
      return 'error';
  }
}
