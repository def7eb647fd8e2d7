/** Issues of a repository as GitHub has them; a part of the double in github.ts. */

export type Issues = Map<number, { readonly body: string; readonly state: 'open' | 'closed' }>;

const PAGE = 100;

/**
 * A pull request that quotes every issue and a page full of others stand before them.
 *
 * @param issues what was written, by number
 * @returns undefined for a path that is none of issues
 */
export function answerIssues(
  issues: Issues,
  { method, pathname, query, body }: { method: string; pathname: string; query: URLSearchParams; body: unknown },
): readonly [number, unknown] | undefined {
  const [, changed] = /\/issues\/(\d+)$/.exec(pathname) ?? [];
  if (changed === undefined && !pathname.endsWith('/issues')) return undefined;
  if (method === 'GET') return [200, listed(issues, Number(query.get('page')))];
  const number = changed === undefined ? issues.size + 2 : Number(changed);
  issues.set(number, { body: (body as { readonly body: string }).body, state: 'open' });
  return [method === 'POST' ? 201 : 200, shown(issues, number)];
}

function listed(issues: Issues, page: number): readonly object[] {
  const body = [...issues.values()].map((issue) => issue.body).join('\n');
  const pull = { number: 1, html_url: 'https://github.test/acme/roma/pull/1', body, pull_request: {} };
  const others = Array.from({ length: PAGE }, (_, index) => ({
    number: 1_000 + index,
    html_url: 'https://github.test/acme/roma/issues/other',
    body: null,
  }));
  const open = [...issues].filter(([, { state }]) => state === 'open').map(([number]) => shown(issues, number));
  return [pull, ...others, ...open].slice((page - 1) * PAGE, page * PAGE);
}

/** As much of an issue as is read; its whole description is long. */
function shown(issues: Issues, number: number): object {
  return { number, html_url: `https://github.test/acme/roma/issues/${number}`, ...issues.get(number) };
}
