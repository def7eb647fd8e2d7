import { z } from 'zod';
import type { WrittenComment } from '../model/ports/code-host.js';
import { MOST_CHARACTERS, type Ask } from './issues.js';

/** Comments of a pull request are looked through until ours is found, so many pages of a hundred. */
const PAGES = 10;
const PER_PAGE = 100;

const comment = z.looseObject({
  id: z.number(),
  node_id: z.string(),
  html_url: z.string(),
  body: z.string().nullish(),
});
const comments = z.array(comment);

/** REST says who wrote a comment, and to no token of a workflow who it is itself. */
const WRITTEN_BY_US = `query ($id: ID!) { node(id: $id) { ... on IssueComment { viewerDidAuthor } } }`;
const authorSchema = z.looseObject({ node: z.looseObject({ viewerDidAuthor: z.boolean() }).nullish() });

export interface Asking {
  readonly ask: Ask;
  readonly query: (query: string, variables: Readonly<Record<string, unknown>>) => Promise<unknown>;
}

/**
 * One comment for a project on a host, that always holds the newest plan. https://docs.github.com/rest/issues/comments; on a pull
 * request it needs `pull-requests: write`.
 */
export async function writePlanComment(
  asking: Asking,
  number: number,
  { project, host }: { readonly project: string; readonly host: string },
  text: string,
): Promise<WrittenComment> {
  const marker = `<!-- rolling-restart plan: ${project} on ${host} -->`;
  const body = `${text.slice(0, MOST_CHARACTERS)}\n${marker}\n`;
  const { ask } = asking;
  const known = await findComment(asking, number, marker);
  if (known !== undefined) {
    const route = 'PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}';
    const { data } = await ask(route, { comment_id: known, body });
    return { url: comment.parse(data).html_url, created: false };
  }
  const { data } = await ask('POST /repos/{owner}/{repo}/issues/{issue_number}/comments', {
    issue_number: number,
    body,
  });
  return { url: comment.parse(data).html_url, created: true };
}

/** What a person has quoted or copied of it stays theirs. */
async function findComment({ ask, query }: Asking, number: number, marker: string): Promise<number | undefined> {
  for (let page = 1; page <= PAGES; page += 1) {
    const { data } = await ask('GET /repos/{owner}/{repo}/issues/{issue_number}/comments', {
      issue_number: number,
      per_page: PER_PAGE,
      page,
    });
    const found = comments.parse(data);
    for (const { id, node_id: node, body } of found) {
      if (body?.includes(marker) !== true) continue;
      if (authorSchema.parse(await query(WRITTEN_BY_US, { id: node })).node?.viewerDidAuthor === true) return id;
    }
    if (found.length < PER_PAGE) return undefined;
  }
  return undefined;
}
