import { z } from 'zod';
import { connect, connectGraphql, hint, isMissing, unreachable, type GitHubAccess } from './client.js';
import { findApproval } from './approval.js';
import { openOrUpdate } from './incident-issue.js';
import { findDeployment } from './deployment-found.js';
import type { Ask } from './issues.js';
import { writePlanComment } from './plan-comment.js';
import { findRecordedImages } from './recorded-images.js';
import { openRevert } from './revert.js';
import { openOrReplaceReview } from './review-issue.js';
import type { Approval } from '../model/approval.js';
import type { PlanComment } from '../model/plan-comment.js';
import type { CodeHost, DeploymentFound, WrittenIssue, PullRequest } from '../model/ports/code-host.js';

/** What a person waits at most for a name in a summary. */
const DEADLINE_MS = 5_000;
/** Three requests, when the service runs again. */
const ISSUE_DEADLINE_MS = 10_000;

export interface CodeHostOptions extends GitHubAccess {
  readonly onProblem: (line: string) => void;
  /** What a person has to hear about; `onProblem` unless given. */
  readonly onIssueLost?: (line: string) => void;
  /** GitHub's number of this run, where it is one of a workflow. */
  readonly run?: string | undefined;
  /** What reverts are opened with: it may write. */
  readonly revertToken?: string | undefined;
  /** A plan as a comment has it. */
  readonly renderPlan: (plan: PlanComment) => string;
}

const answer = z.array(z.looseObject({ number: z.number(), title: z.string(), html_url: z.string() }));

/** https://docs.github.com/rest/commits/commits#list-pull-requests-associated-with-a-commit */
export function createCodeHost({
  onProblem,
  onIssueLost = onProblem,
  revertToken,
  renderPlan,
  run,
  ...access
}: CodeHostOptions): CodeHost {
  const writeIssue = async (
    what: string,
    write: (ask: Ask) => Promise<WrittenIssue>,
  ): Promise<WrittenIssue | undefined> => {
    if (unreachable(access) !== undefined) return undefined;
    try {
      return await write((await connect(access, ISSUE_DEADLINE_MS))('once'));
    } catch (error) {
      onIssueLost(`GitHub took no issue for the ${what}${hint(error, 'issues: write')}: ${String(error)}`);
      return undefined;
    }
  };

  return {
    async pullRequestsOf(commit): Promise<readonly PullRequest[]> {
      if (unreachable(access) !== undefined) return [];
      try {
        const ask = (await connect(access, DEADLINE_MS))('once');
        const { data } = await ask('GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls', { commit_sha: commit });
        return answer.parse(data).map(({ number, title, html_url: url }) => ({ number, title, url }));
      } catch (error) {
        onProblem(`GitHub was asked for the pull request of ${commit.slice(0, 12)} and did not tell: ${String(error)}`);
        return [];
      }
    },

    async openRevert(commit, reason) {
      try {
        return await openRevert({ ...access, token: revertToken }, commit, reason);
      } catch (error) {
        onIssueLost(
          `GitHub opened no pull request that reverts ${commit.slice(0, 12)}${hint(error, 'contents: write and pull-requests: write', 'revert-token')}: ${String(error)}`,
        );
        return { kind: 'lost' };
      }
    },

    async approvalOf(environment): Promise<Approval> {
      const reason = unreachable(access);
      if (reason !== undefined) return { kind: 'unknown', reason };
      try {
        return await findApproval((await connect(access, ISSUE_DEADLINE_MS))(), environment, run);
      } catch (error) {
        const why = isMissing(error)
          ? 'there is no environment of that name yet, or the token needs actions: read'
          : `GitHub did not tell${hint(error, 'actions: read')}: ${String(error)}`;
        return { kind: 'unknown', reason: why };
      }
    },

    async deploymentOf(commit, environment): Promise<DeploymentFound> {
      const reason = unreachable(access);
      if (reason !== undefined) return { kind: 'unknown', reason };
      try {
        return await findDeployment((await connect(access, ISSUE_DEADLINE_MS))(), commit, environment);
      } catch (error) {
        return { kind: 'unknown', reason: `GitHub did not tell (${String(error)})` };
      }
    },

    async commentPlan(pullRequest, plan, redact) {
      if (unreachable(access) !== undefined) return undefined;
      try {
        const ask = (await connect(access, ISSUE_DEADLINE_MS))('once');
        const query = await connectGraphql(access, ISSUE_DEADLINE_MS);
        return await writePlanComment({ ask, query }, pullRequest, plan, redact(renderPlan(plan)));
      } catch (error) {
        onIssueLost(
          `GitHub took no comment on #${pullRequest}${hint(error, 'pull-requests: write')}: ${String(error)}`,
        );
        return undefined;
      }
    },

    async recordedImages(commit, names, services) {
      if (unreachable(access) !== undefined) return { images: {}, told: false };
      const ask = (await connect(access, ISSUE_DEADLINE_MS))();
      const { images, problem } = await findRecordedImages(ask, commit, names, services);
      if (problem === undefined) return { images, told: true };
      const needs = hint(problem, 'contents: read and deployments: read');
      const which = commit.slice(0, 12);
      onIssueLost(`GitHub did not tell which image was built for ${which}${needs}: ${problem.message}`);
      return { images, told: false };
    },

    reportIncident: (incident) => writeIssue('incident', (ask) => openOrUpdate(ask, incident)),
    reportReview: (review) => writeIssue('review', (ask) => openOrReplaceReview(ask, review)),
  };
}
