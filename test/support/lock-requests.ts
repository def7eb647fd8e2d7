import type { Locks } from '../../src/model/ports/ledger.js';

export type AcquireOptions = Parameters<Locks['acquire']>[0];

/** What a run asks for when it acquires the lock, with the parts that matter to a test on top. */
export function lockRequest(
  runId: string,
  overrides: Partial<Omit<AcquireOptions, 'invocation'>> = {},
): AcquireOptions {
  return {
    invocation: {
      runId,
      actor: 'octocat via push',
      runUrl: `https://github.com/acme/roma/actions/runs/${runId}`,
      sha: undefined,
      ref: undefined,
      attempt: 1,
      host: 'runner-1',
    },
    procedure: 'code-update',
    timeoutMs: 0,
    interrupt: false,
    yieldMs: 0,
    signal: new AbortController().signal,
    onWaiting: () => {},
    ...overrides,
  };
}
