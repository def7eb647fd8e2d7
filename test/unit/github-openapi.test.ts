import { describe, expect, it } from 'vitest';
import { describedProblems, type Exchange } from '../support/github-openapi.js';

const REPO = '/repos/acme/roma';
const problemsOf = (over: Partial<Exchange>): Promise<readonly string[]> =>
  describedProblems({
    ...{ method: 'GET', pathname: `${REPO}/deployments`, query: new URLSearchParams(), body: undefined },
    ...{ contentType: '', answer: undefined, ...over },
  });

describe("what is held against GitHub's own description", () => {
  it('has no problem where it is as described, also of a reference with slashes', async () => {
    expect(await problemsOf({ query: new URLSearchParams({ environment: 'production', per_page: '100' }) })).toEqual(
      [],
    );
    expect(await problemsOf({ pathname: `${REPO}/git/ref/tags/v1/beta` })).toEqual([]);
    expect(await problemsOf({ answer: { status: 200, body: [] } })).toEqual([]);
    const pathname = `${REPO}/releases/assets/7`;
    expect(await problemsOf({ method: 'DELETE', pathname, answer: { status: 204, body: undefined } })).toEqual([]);
  });

  it.each<readonly [string, Partial<Exchange>, RegExp]>([
    ['a route that there is not', { pathname: `${REPO}/deployment` }, /is not described/],
    ['a method that there is not', { method: 'PUT' }, /is not described/],
    ['a parameter that there is not', { query: new URLSearchParams({ limit: '3' }) }, /no query parameter limit/],
    ['a parameter of another type', { query: new URLSearchParams({ per_page: 'all' }) }, /per_page must be integer/],
    ['a body that lacks something', { method: 'POST', body: {} }, /must have required property 'ref'/],
    ['a body of another type', { method: 'POST', body: { ref: 7 } }, /ref must be string/],
    ['a body with more', { method: 'POST', body: { ref: 'main', colour: 'red' } }, /no property colour/],
    ['a body where none is taken', { body: { ref: 'main' } }, /takes no body/],
    [
      'a file that is not said to be anything',
      { method: 'POST', pathname: `${REPO}/releases/1/assets`, query: new URLSearchParams({ name: 'a.json' }) },
      /does not say what the file is/,
    ],
    ['an answer that it never gives', { answer: { status: 202, body: [] } }, /status code/],
    ['an answer of another form', { answer: { status: 200, body: {} } }, /must be array/],
    ['an answer that lacks something', { answer: { status: 200, body: [{ id: 1 }] } }, /must have required property/],
  ])('tells of %s', async (_, over, problem) => {
    expect((await problemsOf(over)).join('\n')).toMatch(problem);
  });
});
