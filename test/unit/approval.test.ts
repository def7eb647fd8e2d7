import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCodeHost } from '../support/code-host.js';
import { whoApproved, whoIsAsked } from '../../src/model/approval.js';
import type { CodeHost } from '../../src/model/ports/code-host.js';
import { startGitHub, type GitHub } from '../support/github.js';

let github: GitHub;
let codeHost: CodeHost;
beforeEach(async () => {
  github = await startGitHub();
  const { apiUrl } = github;
  codeHost = createCodeHost({ token: 'token', repository: 'acme/roma', apiUrl, run: '7', onProblem: () => undefined });
});
afterEach(() => {
  github.close();
});

describe('approval', () => {
  it('is said to be that of the reviewers, of nobody, or not known', async () => {
    github.reviewers.set('production', ['ada', 'grace']);
    expect(await codeHost.approvalOf('production')).toEqual({
      kind: 'asked',
      reviewers: ['ada', 'grace'],
      approvedBy: [],
    });
    expect(await codeHost.approvalOf('staging')).toEqual({ kind: 'nobody' });
    expect(github.asked.filter((one) => one.endsWith('/actions/runs/7/approvals'))).toHaveLength(1);
    github.missingEnvironments.add('nowhere');
    expect(await codeHost.approvalOf('nowhere')).toEqual({
      kind: 'unknown',
      reason: expect.stringMatching(/^there is no environment of that name yet/) as string,
    });
    github.faults.push({ method: 'GET', path: /\/approvals$/, with: 403, times: 1 });
    expect(await codeHost.approvalOf('production')).toMatchObject({ reviewers: ['ada', 'grace'], approvedBy: [] });
    github.faults.push({ method: 'GET', path: /\/environments\//, with: 403, times: 9 });
    expect(await codeHost.approvalOf('production')).toEqual({
      kind: 'unknown',
      reason: expect.stringContaining('needs actions: read') as string,
    });
    expect(github.problems).toEqual([]);
  });

  it('names who approved this run in that environment, once, and nobody who refused or approved another', async () => {
    github.reviewers.set('production', ['ada', 'grace']);
    github.approvals.set('production', [
      { by: 'grace', state: 'rejected' },
      { by: 'ada', state: 'approved' },
      { by: 'ada', state: 'approved' },
    ]);
    github.approvals.set('staging', [{ by: 'linus', state: 'approved' }]);
    const approval = await codeHost.approvalOf('production');
    expect(approval).toMatchObject({ kind: 'asked', approvedBy: ['ada'] });
    expect(whoApproved(approval, 'grace')).toBe('by ada in this run');
    // As a person may have written it in a workflow: to GitHub it is the same.
    github.reviewers.set('Production', ['ada']);
    expect(await codeHost.approvalOf('Production')).toMatchObject({ approvedBy: ['ada'] });
    expect(whoIsAsked(approval)).toBe('ada, grace');
    expect(github.problems).toEqual([]);
  });

  it('in words: that nobody was asked, and why; that nobody is named; that it is not known', () => {
    expect(whoApproved({ kind: 'nobody' }, 'ada via push')).toMatch(
      /^by ada via push, who started it: .*private repository/,
    );
    expect(whoIsAsked({ kind: 'nobody' })).toMatch(/whoever starts the workflow approves it/);
    const asked = { kind: 'asked', reviewers: ['ada'], approvedBy: [] } as const;
    expect(whoApproved(asked, 'grace')).toBe('not known by whom; required reviewers: ada');
    expect(whoApproved({ kind: 'unknown', reason: 'no token' }, 'grace')).toBe('not known: no token');
  });
});
