import { z } from 'zod';
import type { Reverted } from '../model/ports/code-host.js';
import { connect, connectGraphql, type GitHubAccess } from './client.js';

const DEADLINE_MS = 10_000;

const pullsSchema = z.array(
  z.looseObject({ number: z.number(), title: z.string(), node_id: z.string(), merged_at: z.string().nullish() }),
);
const revertedSchema = z.looseObject({
  revertPullRequest: z.looseObject({
    revertPullRequest: z.looseObject({ number: z.number(), title: z.string(), url: z.string() }),
  }),
});

/** GitHub makes the branch and the commit of the revert itself; REST has no call for it. */
const REVERT = `mutation ($pull: ID!, $body: String!) {
  revertPullRequest(input: { pullRequestId: $pull, body: $body }) {
    revertPullRequest { number title url }
  }
}`;

/**
 * Opens a pull request that reverts the one which brought a commit: `revertPullRequest` of
 * https://docs.github.com/graphql/reference/mutations. The token needs `contents: write` and `pull-requests: write`.
 */
export async function openRevert(access: GitHubAccess, commit: string, reason: string): Promise<Reverted> {
  const ask = (await connect(access, DEADLINE_MS))();
  const { data } = await ask('GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls', { commit_sha: commit });
  const merged = pullsSchema.parse(data).find(({ merged_at: at }) => at !== null && at !== undefined);
  if (merged === undefined) return { kind: 'none' };
  const body = `Reverts #${merged.number}: ${reason}`;
  const answer = await (await connectGraphql(access, DEADLINE_MS))(REVERT, { pull: merged.node_id, body });
  return { kind: 'opened', pull: revertedSchema.parse(answer).revertPullRequest.revertPullRequest };
}
