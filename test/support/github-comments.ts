/** Comments on issues and pull requests as GitHub has them; a part of the double in github.ts. */
import type { GitHubPart } from './github-part.js';

export interface KeptComment {
  readonly id: number;
  readonly number: number;
  /** Written by somebody else than whose token asks. */
  readonly foreign?: boolean;
  body: string;
}

const AT = '2026-11-26T00:00:00Z';

/** @returns what GraphQL says of who wrote a comment */
export function authorOf(kept: readonly KeptComment[], node: unknown): object {
  const found = kept.find(({ id }) => `C${id}` === node);
  return { node: found === undefined ? null : { viewerDidAuthor: found.foreign !== true } };
}

/** @param root address of the repository */
export function createComments(root: string): GitHubPart<KeptComment> {
  const kept: KeptComment[] = [];
  return {
    kept,
    carryOut(method, pathname, query, { body }) {
      const words = typeof body === 'string' ? body : '';
      const [, one] = /\/issues\/comments\/(\d+)$/.exec(pathname) ?? [];
      if (one !== undefined) {
        const found = kept.find(({ id }) => id === Number(one));
        if (found === undefined) return [404, { message: 'Not Found' }];
        found.body = words;
        return [200, shown(root, found)];
      }
      const [, number] = /\/issues\/(\d+)\/comments$/.exec(pathname) ?? [];
      if (number === undefined) return undefined;
      if (method === 'GET') {
        const size = Number(query.get('per_page') ?? 30);
        const from = (Number(query.get('page') ?? 1) - 1) * size;
        const of = kept.filter((comment) => comment.number === Number(number));
        return [200, of.slice(from, from + size).map((comment) => shown(root, comment))];
      }
      const made = { id: kept.length + 1, number: Number(number), body: words };
      kept.push(made);
      return [201, shown(root, made)];
    },
  };
}

function shown(root: string, { id, number, body }: KeptComment): object {
  return {
    id,
    node_id: `C${id}`,
    url: `${root}/issues/comments/${id}`,
    html_url: `https://github.test/acme/roma/pull/${number}#issuecomment-${id}`,
    issue_url: `${root}/issues/${number}`,
    body,
    user: null,
    created_at: AT,
    updated_at: AT,
    author_association: 'NONE',
  };
}
