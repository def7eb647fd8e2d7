import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { createCodeHost } from '../support/code-host.js';
import { startGitHub, type GitHub } from '../support/github.js';

const COMMIT = 'c0ffee1234567890c0ffee1234567890c0ffee12';
const INCIDENT = {
  at: '2026-11-24T00:00:00.000Z',
  project: 'roma',
  services: ['roma'],
  by: 'octocat',
  run: 'r1',
  runUrl: undefined,
  reason: undefined,
  outcome: 'deployed',
  headline: 'roma restarted and verified',
  causes: [],
  evidencePath: '/var/lib/evidence',
};
const NOTHING = {
  at: '2026-12-01T00:00:00.000Z',
  project: 'roma',
  host: 'one',
  period: 'last 30 days',
  headline: 'none',
  runUrl: undefined,
  findings: [],
};
let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** A REST endpoint on loopback that notes what it is asked. */
async function listen(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const listening = createServer(answer);
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const address = listening.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}`;
}

describe('the code host', () => {
  it('names the pull requests of a commit, asked with the token', async () => {
    const seen: (string | undefined)[] = [];
    const apiUrl = await listen((request, response) => {
      seen.push(request.url, request.headers.authorization);
      response.setHeader('content-type', 'application/json');
      response.end(
        JSON.stringify([{ number: 7, title: 'Add the almanac', html_url: 'https://example.test/7', user: {} }]),
      );
    });
    const problems: string[] = [];
    const host = createCodeHost({
      token: 't0ken',
      repository: 'acme/roma',
      apiUrl,
      onProblem: (line) => problems.push(line),
    });
    expect(await host.pullRequestsOf(COMMIT)).toEqual([
      { number: 7, title: 'Add the almanac', url: 'https://example.test/7' },
    ]);
    expect(seen).toEqual([`/repos/acme/roma/commits/${COMMIT}/pulls`, 'token t0ken']);
    expect(problems).toEqual([]);
  });

  it.each([403, 404, 422, 500])('tells of an answer %i and goes on without', async (status) => {
    const apiUrl = await listen((_request, response) => {
      response.statusCode = status;
      response.end('{"message":"no"}');
    });
    const problems: string[] = [];
    const host = createCodeHost({
      token: 't0ken',
      repository: 'acme/roma',
      apiUrl,
      onProblem: (line) => problems.push(line),
    });
    expect(await host.pullRequestsOf(COMMIT)).toEqual([]);
    expect(problems).toHaveLength(1);
    expect(await host.reportIncident(INCIDENT)).toBeUndefined();
    expect(problems).toHaveLength(2);
    expect(await host.reportReview({ ...NOTHING })).toBeUndefined();
    expect(problems.at(-1)).toMatch(/no issue for the review/);
    // A permission is named where one may be missing, and nowhere else.
    expect(problems.at(-1)?.includes('issues: write')).toBe(status === 403 || status === 404);
    expect(problems[0]).not.toContain('t0ken');
  });

  it('does not wait for a host that does not answer', async () => {
    const apiUrl = await listen(() => undefined);
    const host = createCodeHost({ token: 't0ken', repository: 'acme/roma', apiUrl, onProblem: () => undefined });
    const began = performance.now();
    expect(await host.pullRequestsOf(COMMIT)).toEqual([]);
    expect(performance.now() - began).toBeLessThan(8_000);
  });

  it('asks nobody without a token or outside of a workflow', async () => {
    let asked = 0;
    const apiUrl = await listen((_request, response) => {
      asked += 1;
      response.end('[]');
    });
    const onProblem = (): void => undefined;
    await createCodeHost({ token: undefined, repository: 'acme/roma', apiUrl, onProblem }).pullRequestsOf(COMMIT);
    await createCodeHost({ token: 't', repository: undefined, apiUrl, onProblem }).pullRequestsOf(COMMIT);
    expect(asked).toBe(0);
  });
});

describe('the review of what runs cost', () => {
  const review = {
    at: '2026-12-01T06:17:00.000Z',
    project: 'roma',
    host: 'one',
    period: 'last 31 days',
    headline: '4 runs of roma in the last 31 days, 3 of them green',
    runUrl: 'https://github.test/acme/roma/actions/runs/7',
    findings: [
      {
        title: 'Targets of roma',
        columns: ['Metric', 'Actual'],
        rows: [
          ['Restart time', '12 s'],
          ['By', '@all | #1'],
        ],
      },
    ],
  };

  let github: GitHub;
  afterEach(() => {
    github.close();
    expect(github.problems).toEqual([]);
  });

  it('is one open issue, on whatever page, that always holds the newest; closed, there is another one', async () => {
    github = await startGitHub();
    const { apiUrl, asked, issues } = github;
    const host = createCodeHost({
      token: 't0ken',
      repository: 'acme/roma',
      apiUrl,
      onProblem: (line) => expect.fail(line),
    });
    expect(await host.reportReview(review)).toEqual({
      number: 2,
      url: 'https://github.test/acme/roma/issues/2',
      created: true,
    });
    expect(issues.get(2)?.body).toContain('| Restart time | 12 s |\n| By | `@all \\| #1` |');
    expect(issues.get(2)?.body).toContain('(https://github.test/acme/roma/actions/runs/7)');
    expect(await host.reportReview({ ...review, headline: 'nothing' })).toMatchObject({ number: 2, created: false });
    expect(issues.size).toBe(1);
    expect(issues.get(2)?.body).toContain('`nothing`');
    expect(asked.slice(-3)).toEqual([
      'GET /repos/acme/roma/issues',
      'GET /repos/acme/roma/issues',
      'PATCH /repos/acme/roma/issues/2',
    ]);
    issues.set(2, { body: issues.get(2)?.body ?? '', state: 'closed' });
    expect(await host.reportReview(review)).toMatchObject({ number: 3, created: true });
  });
});
