import { createServer } from 'node:http';
import { requestProblems } from './github-openapi.js';

export interface IssueTracker {
  readonly apiUrl: string;
  /** Method and path of each request, in order. */
  readonly asked: string[];
  /** What was written, by number. */
  readonly issues: Map<number, { readonly body: string; readonly state: 'open' | 'closed' }>;
  /** @throws Error when a request was not as GitHub describes it */
  close(): void;
}

const PAGE = 100;

/**
 * GitHub's issues of acme/roma on loopback, as far as they are read and written here. A pull request that quotes every
 * issue and a page full of others stand before them.
 */
export async function startIssueTracker(): Promise<IssueTracker> {
  const issues: IssueTracker['issues'] = new Map();
  const asked: string[] = [];
  const problems: string[] = [];
  const others = Array.from({ length: PAGE }, (_, index) => ({
    number: 1_000 + index,
    html_url: 'https://github.test/acme/roma/issues/other',
    body: null,
  }));
  const shown = (number: number): object => ({
    number,
    html_url: `https://github.test/acme/roma/issues/${number}`,
    ...issues.get(number),
  });
  const list = (page: number): readonly object[] => {
    const body = [...issues.values()].map((issue) => issue.body).join('\n');
    const pull = { number: 1, html_url: 'https://github.test/acme/roma/pull/1', body, pull_request: {} };
    const open = [...issues].filter(([, { state }]) => state === 'open').map(([number]) => shown(number));
    return [pull, ...others, ...open].slice((page - 1) * PAGE, page * PAGE);
  };
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://loopback');
    const method = request.method ?? '';
    asked.push(`${method} ${pathname}`);
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      response.setHeader('content-type', 'application/json');
      const text = Buffer.concat(chunks).toString();
      const sent: unknown = text === '' ? undefined : JSON.parse(text);
      problems.push(...requestProblems({ method, pathname, query: searchParams, body: sent }));
      if (method === 'GET') {
        response.end(JSON.stringify(list(Number(searchParams.get('page')))));
        return;
      }
      const { body } = sent as { body: string };
      const number = method === 'PATCH' ? Number(pathname.split('/').at(-1)) : issues.size + 2;
      issues.set(number, { body, state: 'open' });
      response.statusCode = method === 'POST' ? 201 : 200;
      response.end(JSON.stringify(shown(number)));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    apiUrl: `http://127.0.0.1:${address.port}`,
    asked,
    issues,
    close: () => {
      server.closeAllConnections();
      server.close();
      if (problems.length > 0) throw new Error(`not as GitHub describes it: ${problems.join('; ')}`);
    },
  };
}
