import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCodeHost } from '../support/code-host.js';
import type { CodeHost } from '../../src/model/ports/code-host.js';
import { startGitHub, type GitHub } from '../support/github.js';

let github: GitHub;
let codeHost: CodeHost;
beforeEach(async () => {
  github = await startGitHub();
  const { apiUrl } = github;
  codeHost = createCodeHost({ token: 'token', repository: 'acme/roma', apiUrl, onProblem: () => undefined });
});
afterEach(() => {
  github.close();
});

describe('approval', () => {
  it('is said to be that of the reviewers, of nobody, or not known', async () => {
    github.reviewers.set('production', ['ada', 'grace']);
    expect(await codeHost.approvalOf('production')).toEqual({ kind: 'asked', reviewers: ['ada', 'grace'] });
    expect(await codeHost.approvalOf('staging')).toEqual({ kind: 'nobody' });
    github.faults.push({ method: 'GET', path: /\/environments\//, with: 403, times: 9 });
    expect(await codeHost.approvalOf('production')).toEqual({
      kind: 'unknown',
      reason: expect.stringContaining('needs actions: read') as string,
    });
    expect(github.problems).toEqual([]);
  });
});
