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
    expect(whoApproved(approval)).toBe('by ada');
    expect(whoIsAsked(approval)).toBe('ada, grace');
    expect(github.problems).toEqual([]);
  });

  it('in words: that nobody was asked, and why; that nobody is named; that it is not known', () => {
    expect(whoApproved({ kind: 'nobody' })).toMatch(/^nobody was asked: .*private repository/);
    expect(whoIsAsked({ kind: 'nobody' })).toMatch(/whoever starts the workflow approves it/);
    const asked = { kind: 'asked', reviewers: ['ada'], approvedBy: [] } as const;
    expect(whoApproved(asked)).toBe('GitHub names nobody who approved; asked: ada');
    expect(whoApproved({ kind: 'unknown', reason: 'no token' })).toBe('not known: no token');
  });
});
