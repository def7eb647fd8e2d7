/** Who has to approve before a job of an environment begins. */
export type Approval =
  | {
      readonly kind: 'asked';
      /** Users and teams, any one of which is enough. */
      readonly reviewers: readonly string[];
      /** Who has approved a job of this run there, in whichever attempt: GitHub does not tell attempts apart. Empty before
       * that, and where an administrator passed the rule by. */
      readonly approvedBy: readonly string[];
    }
  | { readonly kind: 'nobody' }
  | { readonly kind: 'unknown'; readonly reason: string };

/** @returns for whoever still has time to change that */
export function whoIsAsked(approval: Approval): string {
  switch (approval.kind) {
    case 'asked':
      return approval.reviewers.join(', ');
    case 'nobody':
      return `nobody: ${NO_RULE}; whoever starts the workflow approves it by that`;
    case 'unknown':
      return `not known: ${approval.reason}`;
  }
}

/**
 * @param startedBy as in `ada via workflow_dispatch`
 * @returns for the record of a change that was made
 */
export function whoApproved(approval: Approval, startedBy: string): string {
  switch (approval.kind) {
    case 'asked':
      return approval.approvedBy.length > 0
        ? `by ${approval.approvedBy.join(', ')} in this run`
        : `not known by whom; required reviewers: ${approval.reviewers.join(', ')}`;
    case 'nobody':
      return `by ${startedBy}, who started it: ${NO_RULE}`;
    case 'unknown':
      return `not known: ${approval.reason}`;
  }
}

/** https://docs.github.com/actions/reference/workflows-and-actions/deployments-and-environments#required-reviewers */
const NO_RULE = 'it has no required reviewers (a private repository has them on some plans only)';
