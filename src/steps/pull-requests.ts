import type { PullRequest } from '../model/ports/code-host.js';
import type { Candidate } from './candidate.js';
import type { Session } from './session.js';

/** Several services may go back to several commits; a summary has no room for more. */
const MOST_COMMITS = 3;

/**
 * Which pull requests brought what is going live. Asked while the work goes on, and never longer than some seconds.
 * @returns each once
 */
export async function pullRequestsOf(
  { codeHost }: Pick<Session, 'codeHost'>,
  candidates: readonly Pick<Candidate, 'release'>[],
): Promise<readonly PullRequest[]> {
  const commits = [...new Set(candidates.flatMap(({ release }) => release.commit ?? []))].slice(0, MOST_COMMITS);
  const found = (await Promise.all(commits.map((commit) => codeHost.pullRequestsOf(commit)))).flat();
  return found.filter(({ url }, index) => found.findIndex((other) => other.url === url) === index);
}
