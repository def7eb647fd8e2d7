import type { Approval } from '../approval.js';
import type { Incident } from '../incident.js';
import type { PlanComment } from '../plan-comment.js';
import type { SloReview } from '../slo-review.js';

/** The forge that the repository lives on, as far as a run wants to know things from it. Never needed for a change. */
export interface CodeHost {
  /**
   * Pull requests that brought a commit, newest first.
   * Never throws and never takes longer than a few seconds: a deploy does not fail because the forge is down.
   */
  pullRequestsOf(commit: string): Promise<readonly PullRequest[]>;
  /**
   * Opens an issue for an incident, or adds to the one that is open for the same services.
   * Never throws and never takes longer than some seconds; undefined when there is none.
   */
  reportIncident(incident: Incident): Promise<WrittenIssue | undefined>;
  /**
   * Opens the project's issue for reviews, or replaces what is in the one that is open.
   * Never throws and never takes longer than some seconds; undefined when there is none.
   */
  reportReview(review: SloReview): Promise<WrittenIssue | undefined>;
  /**
   * Opens a pull request that takes out the one which brought the commit.
   * Never throws and never takes longer than some seconds.
   */
  openRevert(commit: string, reason: string): Promise<Reverted>;
  /**
   * Writes the plan of a project to a pull request, or replaces the one that is there.
   * Never throws and never takes longer than some seconds; undefined when there is none.
   */
  commentPlan(
    pullRequest: number,
    plan: PlanComment,
    redact: (text: string) => string,
  ): Promise<WrittenComment | undefined>;
  /**
   * The images that were built for a commit, by service, each with its digest.
   * Never throws and never takes longer than some seconds.
   * @param names tags that the commit may have
   * @param services those whose images are wanted; others may be among what is found
   */
  recordedImages(commit: string, names: readonly string[], services: readonly string[]): Promise<RecordedImages>;
  /** Who is asked to approve a job of the environment, and who did in this run. Never throws and never takes longer than some seconds. */
  approvalOf(environment: string): Promise<Approval>;
  /** Never throws and never takes longer than some seconds. */
  deploymentOf(commit: string, environment: string): Promise<DeploymentFound>;
}

/** @property told whether the forge could be asked: then an image that is not among them was never recorded */
export interface RecordedImages {
  readonly images: Readonly<Record<string, string>>;
  readonly told: boolean;
}

/** `none`: no merged pull request brought the commit. `lost`: the forge did not do it, as was said by then. */
export type Reverted =
  { readonly kind: 'opened'; readonly pull: PullRequest } | { readonly kind: 'none' } | { readonly kind: 'lost' };

/** What the forge knows of a commit in an environment. */
export type DeploymentFound =
  | { readonly kind: 'succeeded'; readonly at: string }
  /** @property last how the newest deployment that is there ended */
  | { readonly kind: 'not-there'; readonly last: string | undefined }
  | { readonly kind: 'unknown'; readonly reason: string };

/** An issue that a run has written to. */
export interface WrittenIssue {
  readonly number: number;
  readonly url: string;
  readonly created: boolean;
}

/** A comment that a run has written. */
export interface WrittenComment {
  readonly url: string;
  readonly created: boolean;
}

export interface PullRequest {
  readonly number: number;
  readonly title: string;
  readonly url: string;
}
