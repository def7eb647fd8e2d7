import type { Notice } from '../../src/model/notification.js';

/** A notice as a run would send it. */
export function sampleNotice(changes: Partial<Notice> = {}): Notice {
  return {
    kind: 'notice',
    moment: 'failure',
    at: '2026-11-24T03:15:02.000Z',
    project: 'roma',
    procedure: 'code-update',
    services: ['roma', 'worker'],
    headline: 'roma: failed and was not undone (<@U1> & co)',
    outcome: 'failed',
    changed: true,
    durationMs: 61_000,
    problem: { code: 'E_COMMAND', message: 'smoke-test failed' },
    next: ['Look at the log.'],
    commit: '4f2a9c1b7d3e5f60718293a4b5c6d7e8f9012345',
    pullRequests: [],
    reason: 'it leaks',
    by: 'octocat via push',
    run: '123-1',
    runUrl: 'https://github.com/company/roma/actions/runs/123',
    host: 'prod-1',
    thread: '123-1',
    ...changes,
  };
}
