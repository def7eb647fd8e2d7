import { createServer, type ServerResponse } from 'node:http';
import { JOB_TOKEN, missingPermission, type Permissions } from './github-permissions.js';
import { describedProblems } from './github-openapi.js';
import { authorOf, createComments, type KeptComment } from './github-comments.js';
import { answerIssues, type Issues } from './github-issues.js';
import { createTags, type KeptTag } from './github-refs.js';
import { createReleases, someone, type KeptRelease, type ReleaseSettings } from './github-releases.js';
import type { FileRequest } from './github-part.js';

export interface KeptDeployment {
  readonly id: number;
  readonly sha: string;
  readonly environment: string;
  readonly payload: unknown;
  readonly description: string | null;
  /** Newest first. */
  readonly statuses: KeptStatus[];
}

export interface KeptStatus {
  readonly state: string;
  readonly description: string;
  readonly log_url: string;
  readonly environment_url: string;
}

/** What happens to requests in place of an answer, so many times. */
export interface Fault {
  readonly method: string;
  readonly path: RegExp;
  /** `lost`: it is carried out and the connection broken; `dead`: nothing is ever answered. */
  readonly with: number | 'lost' | 'dead';
  times: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface KeptReview {
  readonly by: string;
  readonly state: 'approved' | 'rejected';
}

export interface GitHub {
  readonly apiUrl: string;
  /** Method and path of each request, in order. */
  readonly asked: string[];
  /** Newest first, as GitHub lists them. */
  readonly deployments: KeptDeployment[];
  readonly faults: Fault[];
  readonly releases: KeptRelease[];
  readonly tags: KeptTag[];
  readonly settings: ReleaseSettings;
  readonly comments: KeptComment[];
  /** Who has to approve, by environment; one that is not there has no rules. */
  readonly reviewers: Map<string, readonly string[]>;
  /** Reviews of every run there is, by environment. */
  readonly approvals: Map<string, readonly KeptReview[]>;
  /** Every other name is that of an environment. */
  readonly missingEnvironments: Set<string>;
  /** Issues that were written, by number. */
  readonly issues: Issues;
  /** Pull requests that were merged, by the commit they brought. */
  readonly merged: Map<string, { readonly number: number; readonly title: string }>;
  /** What was to be reverted: node ids, and with which words and token. */
  readonly reverted: { readonly pull: unknown; readonly body: unknown; readonly authorization: string | undefined }[];
  /** Where a request or an answer is not what GitHub describes. */
  readonly problems: string[];
  /** From now on requests with the token of a job need these permissions; what lacks one is refused, and a problem. */
  grant(permissions: Permissions): void;
  /** Puts a record there that somebody else made. */
  put(record: { sha: string; environment: string; payload?: unknown; states: readonly string[] }): KeptDeployment;
  close(): void;
}

const NOWHERE = 'https://nowhere.test';
const AT = '2026-11-26T00:00:00Z';

/**
 * GitHub's Deployments of a repository on loopback, with a memory. Every request, and every answer that it gives itself, is
 * held against GitHub's own OpenAPI description; `problems` has what differs.
 */
export async function startGitHub(repository = 'acme/roma'): Promise<GitHub> {
  const root = `https://api.github.test/repos/${repository}`;
  const deployments: KeptDeployment[] = [];
  const [asked, problems, faults]: [string[], string[], Fault[]] = [[], [], []];
  const merged: GitHub['merged'] = new Map();
  const reverted: GitHub['reverted'] = [];
  let apiUrl = '';
  const tags = createTags(root);
  const settings: ReleaseSettings = { immutableReleases: true };
  const releases = createReleases(() => `${apiUrl}/repos/${repository}`, tags.kept, settings);
  const comments = createComments(root);
  const issues: Issues = new Map();
  const reviewers: GitHub['reviewers'] = new Map();
  const approvals: GitHub['approvals'] = new Map();
  const missingEnvironments = new Set<string>();
  let granted: Permissions | undefined;
  let nextId = 1;
  const add = (record: Omit<KeptDeployment, 'id'>): KeptDeployment => {
    const made = { ...record, id: nextId++ };
    deployments.unshift(made);
    return made;
  };

  const carryOut = (
    method: string,
    pathname: string,
    query: URLSearchParams,
    body: Body,
    file: FileRequest,
  ): readonly [number, unknown] => {
    for (const part of [releases, tags, comments]) {
      const said = part.carryOut(method, pathname, query, body, file);
      if (said !== undefined) return said;
    }
    const [, environment] = /\/environments\/([^/]+)$/.exec(pathname) ?? [];
    if (environment !== undefined && missingEnvironments.has(environment)) return [404, { message: 'Not Found' }];
    if (environment !== undefined) return [200, shownEnvironment(root, environment, reviewers.get(environment) ?? [])];
    if (/\/actions\/runs\/\d+\/approvals$/.test(pathname)) return [200, [...approvals].flatMap(shownReviews)];
    const issue = answerIssues(issues, { method, pathname, query, body });
    if (issue !== undefined) return issue;
    const [, commit] = /\/commits\/(\w+)\/pulls$/.exec(pathname) ?? [];
    if (commit !== undefined) return [200, shownPulls(commit, merged.get(commit))];
    const [, id] = /\/deployments\/(\d+)\/statuses$/.exec(pathname) ?? [];
    if (id !== undefined) {
      const deployment = deployments.find((one) => one.id === Number(id));
      if (deployment === undefined) return [404, { message: 'Not Found' }];
      if (method === 'GET')
        return [200, deployment.statuses.map((status, index) => shownStatus(root, deployment, status, index))];
      const status: KeptStatus = {
        state: textOf(body['state'], ''),
        description: textOf(body['description'], ''),
        log_url: textOf(body['log_url'], NOWHERE),
        environment_url: textOf(body['environment_url'], NOWHERE),
      };
      deployment.statuses.unshift(status);
      return [201, shownStatus(root, deployment, status, 0)];
    }
    if (!pathname.endsWith('/deployments')) return [404, { message: 'Not Found' }];
    if (method === 'GET') {
      const wanted = (name: string, value: string): boolean => !query.has(name) || query.get(name) === value;
      const found = deployments.filter((one) => wanted('environment', one.environment) && wanted('sha', one.sha));
      return [200, found.slice(0, Number(query.get('per_page') ?? 30)).map((one) => shown(root, one))];
    }
    const made = add({
      sha: textOf(body['ref'], ''),
      environment: textOf(body['environment'], 'production'),
      payload: body['payload'] ?? {},
      description: typeof body['description'] === 'string' ? body['description'] : null,
      statuses: [],
    });
    return [201, shown(root, made)];
  };

  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://loopback');
    const method = request.method ?? '';
    asked.push(`${method} ${pathname}`);
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    const answerIt = async (): Promise<void> => {
      const content = Buffer.concat(chunks);
      const { accept = '', 'content-type': contentType = '' } = request.headers;
      const bytes = content.length > 0 && !contentType.includes('json') ? content : undefined;
      const file = { bytes, wanted: accept === 'application/octet-stream' };
      const text = bytes === undefined ? content.toString() : '';
      const body: unknown = text === '' ? undefined : JSON.parse(text);
      if (pathname === '/graphql') {
        const { query, variables } = body as GraphqlRequest;
        if (query.includes('viewerDidAuthor')) {
          answer(response, 200, { data: authorOf(comments.kept, variables.id) });
          return;
        }
        reverted.push({ pull: variables.pull, body: variables.body, authorization: request.headers.authorization });
        const made = { number: 99, title: 'Revert it', url: 'https://github.test/acme/roma/pull/99' };
        answer(response, 200, { data: { revertPullRequest: { revertPullRequest: made } } });
        return;
      }
      const fault = faults.find((one) => one.times > 0 && one.method === method && one.path.test(pathname));
      if (fault !== undefined) fault.times -= 1;
      const exchange = { method, pathname, query: searchParams, body, contentType, answer: undefined };
      if (fault?.with === 'dead' || typeof fault?.with === 'number')
        problems.push(...(await describedProblems(exchange)));
      if (fault?.with === 'dead') return;
      if (typeof fault?.with === 'number') {
        for (const [name, value] of Object.entries(fault.headers ?? {})) response.setHeader(name, value);
        answer(response, fault.with, { message: 'no' });
        return;
      }
      const isJob = request.headers.authorization?.includes(JOB_TOKEN) === true;
      const missing = granted === undefined || !isJob ? undefined : missingPermission(method, pathname, granted);
      if (missing !== undefined) {
        problems.push(missing);
        answer(response, 403, { message: 'Resource not accessible by integration' });
        return;
      }
      const [status, said] = carryOut(method, pathname, searchParams, (body ?? {}) as Body, file);
      // Of a pull request and an issue as much is shown as is read, and a file is what was uploaded.
      const isFile = file.wanted && /\/assets\/\d+$/.test(pathname);
      const whole = status < 300 && !isFile && !/\/pulls$|\/issues(\/\d+)?$/.test(pathname);
      const answered = whole ? { status, body: said } : undefined;
      problems.push(...(await describedProblems({ ...exchange, answer: answered })));
      if (fault?.with === 'lost') response.destroy();
      else answer(response, status, said);
    };
    request.on('end', () => void answerIt());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  apiUrl = `http://127.0.0.1:${address.port}`;
  return {
    apiUrl,
    releases: releases.kept,
    tags: tags.kept,
    settings,
    comments: comments.kept,
    issues,
    reviewers,
    approvals,
    missingEnvironments,
    asked,
    deployments,
    faults,
    merged,
    reverted,
    problems,
    grant: (permissions) => {
      granted = permissions;
    },
    put: ({ sha, environment, payload = {}, states }) =>
      add({
        sha,
        environment,
        payload,
        description: null,
        statuses: [...states]
          .reverse()
          .map((state) => ({ state, description: '', log_url: NOWHERE, environment_url: NOWHERE })),
      }),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function shownEnvironment(root: string, name: string, reviewers: readonly string[]): object {
  const rule = {
    id: 1,
    node_id: 'G1',
    type: 'required_reviewers',
    reviewers: reviewers.map((login) => ({ type: 'User', reviewer: { ...someone, login } })),
  };
  return {
    id: 1,
    node_id: 'E1',
    name,
    url: `${root}/environments/${name}`,
    html_url: `https://github.test/deployments/${name}`,
    created_at: AT,
    updated_at: AT,
    protection_rules: reviewers.length === 0 ? [] : [rule],
  };
}

function shownReviews([name, reviews]: readonly [string, readonly KeptReview[]]): object[] {
  return reviews.map(({ by, state }) => ({
    ...{ state, comment: '', environments: [{ id: 1, name }], user: { ...someone, login: by } },
  }));
}

/** As much of a pull request as is read; its whole description is long. */
function shownPulls(commit: string, pull: { readonly number: number; readonly title: string } | undefined): object[] {
  if (pull === undefined) return [];
  const url = `https://github.test/acme/roma/pull/${pull.number}`;
  return [{ ...pull, html_url: url, node_id: `PR_${pull.number}`, merged_at: AT, merge_commit_sha: commit }];
}

interface GraphqlRequest {
  readonly query: string;
  readonly variables: { readonly pull?: unknown; readonly body?: unknown; readonly id?: unknown };
}

type Body = Readonly<Record<string, unknown>>;

function textOf(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise;
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.statusCode = status;
  response.setHeader('content-type', Buffer.isBuffer(body) ? 'application/octet-stream' : 'application/json');
  response.end(Buffer.isBuffer(body) ? body : JSON.stringify(body));
}

function shown(root: string, { id, sha, environment, payload, description }: KeptDeployment): object {
  return {
    id,
    node_id: `D${id}`,
    url: `${root}/deployments/${id}`,
    statuses_url: `${root}/deployments/${id}/statuses`,
    repository_url: root,
    ref: sha,
    sha,
    task: 'deploy',
    payload,
    original_environment: environment,
    environment,
    description,
    creator: null,
    created_at: AT,
    updated_at: AT,
  };
}

function shownStatus(root: string, { id, environment }: KeptDeployment, status: KeptStatus, index: number): object {
  return {
    ...status,
    id: id * 100 + index,
    node_id: `S${id}-${index}`,
    url: `${root}/deployments/${id}/statuses/${index}`,
    deployment_url: `${root}/deployments/${id}`,
    repository_url: root,
    environment,
    target_url: status.log_url,
    creator: null,
    created_at: AT,
    updated_at: AT,
  };
}
