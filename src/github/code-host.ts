import { z } from 'zod';
import { openOrUpdate } from './incident-issue.js';
import { findDeployment } from './deployments.js';
import type { Ask } from './issues.js';
import { openOrReplaceReview } from './review-issue.js';
import type { CodeHost, DeploymentFound, WrittenIssue, PullRequest } from '../model/ports/code-host.js';

/** What a person waits at most for a name in a summary. */
const DEADLINE_MS = 5_000;
/** Three requests, when the service runs again. */
const ISSUE_DEADLINE_MS = 10_000;

export interface CodeHostOptions {
  readonly token: string | undefined;
  /** `owner/name`; undefined outside of a workflow. */
  readonly repository: string | undefined;
  /** `https://api.github.com`, or a GitHub Enterprise Server's. */
  readonly apiUrl: string;
  readonly onProblem: (line: string) => void;
  /** What a person has to hear about; `onProblem` unless given. */
  readonly onIssueLost?: (line: string) => void;
}

const answer = z.array(z.looseObject({ number: z.number(), title: z.string(), html_url: z.string() }));

/**
 * GitHub's REST API. @actions/github is loaded when the first question is asked and not before: it brings an HTTP client
 * along that costs a tenth of a second, and most runs ask nothing.
 * https://docs.github.com/rest/commits/commits#list-pull-requests-associated-with-a-commit
 */
export function createCodeHost({
  token,
  repository,
  apiUrl,
  onProblem,
  onIssueLost = onProblem,
}: CodeHostOptions): CodeHost {
  const [owner, repo] = repository?.split('/') ?? [];

  const writeIssue = async (
    what: string,
    write: (ask: Ask) => Promise<WrittenIssue>,
  ): Promise<WrittenIssue | undefined> => {
    if (token === undefined || owner === undefined || repo === undefined) return undefined;
    try {
      const { getOctokit } = await import('@actions/github');
      const octokit = getOctokit(token, { baseUrl: apiUrl });
      const signal = AbortSignal.timeout(ISSUE_DEADLINE_MS);
      return await write(async (route, parameters) =>
        octokit.request(route, { owner, repo, ...parameters, request: { signal } }),
      );
    } catch (error) {
      onIssueLost(`GitHub took no issue for the ${what} (the token needs issues: write): ${String(error)}`);
      return undefined;
    }
  };

  return {
    async pullRequestsOf(commit): Promise<readonly PullRequest[]> {
      if (token === undefined || owner === undefined || repo === undefined) return [];
      try {
        const { getOctokit } = await import('@actions/github');
        const octokit = getOctokit(token, { baseUrl: apiUrl });
        const { data } = await octokit.request('GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls', {
          owner,
          repo,
          commit_sha: commit,
          request: { signal: AbortSignal.timeout(DEADLINE_MS) },
        });
        return answer.parse(data).map(({ number, title, html_url: url }) => ({ number, title, url }));
      } catch (error) {
        onProblem(`GitHub was asked for the pull request of ${commit.slice(0, 12)} and did not tell: ${String(error)}`);
        return [];
      }
    },

    async deploymentOf(commit, environment): Promise<DeploymentFound> {
      if (token === undefined) return { kind: 'unknown', reason: 'there is no github-token' };
      if (owner === undefined || repo === undefined) {
        return { kind: 'unknown', reason: 'the repository is not known outside of a workflow' };
      }
      try {
        const { getOctokit } = await import('@actions/github');
        const octokit = getOctokit(token, { baseUrl: apiUrl });
        const signal = AbortSignal.timeout(ISSUE_DEADLINE_MS);
        return await findDeployment(
          async (route, parameters) => octokit.request(route, { owner, repo, ...parameters, request: { signal } }),
          commit,
          environment,
        );
      } catch (error) {
        return { kind: 'unknown', reason: `GitHub did not tell (${String(error)})` };
      }
    },

    reportIncident: (incident) => writeIssue('incident', (ask) => openOrUpdate(ask, incident)),
    reportReview: (review) => writeIssue('review', (ask) => openOrReplaceReview(ask, review)),
  };
}
