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
  const ends = performance.now() + deadlineMs;
  return (once = 'again') =>
    async (route, parameters) => {
      for (const pauseMs of once === 'once' ? [] : PAUSES_MS) {
        try {
          return await octokit.request(route, { owner, repo, ...parameters, request: { signal } });
        } catch (error) {
          if (signal.aborted || !mayBeOtherwise(error)) throw error;
          const waitMs = Math.max(pauseMs, limitedForMs(error));
          if (performance.now() + waitMs >= ends) throw limited(error);
          await sleep(waitMs, undefined, { signal });
        }
      }
      return octokit.request(route, { owner, repo, ...parameters, request: { signal } }).catch((error: unknown) => {
        throw limited(error);
      });
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
  return status >= 500 || status === 429 || (status === 403 && limitedForMs(error) > 0);
}

function statusOf(error: unknown): number {
  return error instanceof Error && 'status' in error ? Number(error.status) : 0;
}

/**
 * How long GitHub takes nothing more, in milliseconds; 0 when that is not what it said. A secondary rate limit says how many
 * seconds, the primary one when it is over.
 * https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
 */
function limitedForMs(error: unknown): number {
  if (!(error instanceof Error) || !('response' in error)) return 0;
  const { headers = {} } = (error.response ?? {}) as { readonly headers?: Readonly<Record<string, unknown>> };
  const seconds = Number(headers['retry-after'] ?? 0);
  if (seconds > 0) return seconds * 1_000;
  if (Number(headers['x-ratelimit-remaining'] ?? 1) > 0) return 0;
  return Math.max(1, Number(headers['x-ratelimit-reset'] ?? 0) * 1_000 - Date.now());
}

/** @returns the error in words that a person can do something with: a rate limit is neither a refusal nor a time-out */
function limited(error: unknown): unknown {
  const waitMs = limitedForMs(error);
  if (waitMs === 0) return error;
  const until = new Date(Date.now() + waitMs).toISOString().slice(0, 19);
  return new Error(`the rate limit of the token is used up until ${until}Z`, { cause: error });
}

/** @returns whether GitHub says that there is no such thing, or none that the token may see */
export function isMissing(error: unknown): boolean {
  return statusOf(error) === 404;
}

/**
 * @param permissions as in `issues: write`
 * @returns what the token may lack, for a message, where GitHub refused; GitHub hides what a token may not see
 */
export function hint(error: unknown, permissions: string, token = 'the token'): string {
  return [401, 403, 404].includes(statusOf(error)) ? ` (${token} needs ${permissions})` : '';
}
