import { setTimeout as sleep } from 'node:timers/promises';
import type { Ask } from './issues.js';

export interface GitHubAccess {
  readonly token: string | undefined;
  /** `owner/name`; undefined outside of a workflow. */
  readonly repository: string | undefined;
  /** `https://api.github.com`, or a GitHub Enterprise Server's. */
  readonly apiUrl: string;
}

/** Pauses before further tries, in milliseconds; GitHub's own `retry-after` counts where it is longer. */
const PAUSES_MS = [500, 2_000];

/**
 * What a request may be told beside its parameters.
 * `once`: it makes something, or is worth no wait, and is not repeated.
 */
export type Once = 'once' | 'again';

/** @returns why GitHub cannot be asked, in words; undefined when it can */
export function unreachable({ token, repository }: GitHubAccess): string | undefined {
  if (token === undefined) return 'there is no github-token';
  if (repository?.includes('/') !== true) return 'the repository is not known outside of a workflow';
  return undefined;
}

/**
 * GitHub's REST API for one task, which has to be done by the deadline. @actions/github is loaded when something is asked
 * and not before: it brings an HTTP client along that costs a tenth of a second, and most runs ask nothing.
 *
 * Tries again are made here and not by @octokit/plugin-retry: its waits end neither with the deadline nor with the process.
 * @throws Error when a request fails for good, or GitHub cannot be asked at all
 */
export async function connect(access: GitHubAccess, deadlineMs: number): Promise<(once?: Once) => Ask> {
  const problem = unreachable(access);
  if (problem !== undefined) throw new Error(problem);
  const [owner, repo] = access.repository?.split('/') ?? [];
  const { getOctokit } = await import('@actions/github');
  const octokit = getOctokit(access.token ?? '', { baseUrl: access.apiUrl });
  const signal = AbortSignal.timeout(deadlineMs);
  return (once = 'again') =>
    async (route, parameters) => {
      for (const pauseMs of once === 'once' ? [] : PAUSES_MS) {
        try {
          return await octokit.request(route, { owner, repo, ...parameters, request: { signal } });
        } catch (error) {
          if (signal.aborted || !mayBeOtherwise(error)) throw error;
          await sleep(Math.max(pauseMs, retryAfterMs(error)), undefined, { signal });
        }
      }
      return octokit.request(route, { owner, repo, ...parameters, request: { signal } });
    };
}

/** GitHub's GraphQL API, where REST has no call; nothing is repeated. @throws as `connect` does */
export async function connectGraphql(
  access: GitHubAccess,
  deadlineMs: number,
): Promise<(query: string, variables: Readonly<Record<string, unknown>>) => Promise<unknown>> {
  const problem = unreachable(access);
  if (problem !== undefined) throw new Error(problem);
  const { getOctokit } = await import('@actions/github');
  const octokit = getOctokit(access.token ?? '', { baseUrl: access.apiUrl });
  const signal = AbortSignal.timeout(deadlineMs);
  return (query, variables) => octokit.graphql(query, { ...variables, request: { signal } });
}

/**
 * @returns whether the same request may get another answer a moment later: 5xx, a rate limit, a connection that broke
 * (octokit calls that 500 too). https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api
 */
export function mayBeOtherwise(error: unknown): boolean {
  const status = statusOf(error);
  return status >= 500 || status === 429 || (status === 403 && retryAfterMs(error) > 0);
}

function statusOf(error: unknown): number {
  return error instanceof Error && 'status' in error ? Number(error.status) : 0;
}

/** The headers of a secondary rate limit say how many seconds to wait. */
function retryAfterMs(error: unknown): number {
  if (!(error instanceof Error) || !('response' in error)) return 0;
  const response = error.response as { readonly headers?: Readonly<Record<string, unknown>> } | undefined;
  const seconds = Number(response?.headers?.['retry-after'] ?? 0);
  return Number.isFinite(seconds) ? seconds * 1_000 : 0;
}
