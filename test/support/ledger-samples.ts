import { createJournal } from '../../src/ledger/journal.js';
import { JOURNAL_CODEC, type Journal, type JournalOpening } from '../../src/operations/journal.js';
import type { ReleaseWithDefinition } from '../../src/model/release.js';
import { lockRequest } from './lock-requests.js';

/** A release with every field filled in. */
export function sampleRelease(id: string): ReleaseWithDefinition {
  return {
    id,
    project: 'roma',
    service: 'roma',
    createdAt: '2026-11-24T03:15:02.000Z',
    image: {
      name: 'roma-builder:latest',
      id: 'sha256:1',
      fingerprint: 'sha256:2',
      digest: undefined,
      keptAs: `rolling-restart/roma-roma:${id.toLowerCase()}`,
    },
    configHash: 'sha256:3',
    composeHash: '4',
    replicas: 1,
    commit: 'c'.repeat(40),
    origin: `git:${'c'.repeat(40)}`,
    definitionFrom: 'rendered',
    by: 'octocat via push',
    run: '1-1',
    version: '1.2.3',
    definition: { name: 'roma', services: { roma: { image: 'roma-builder', environment: { TOKEN: 'geheim' } } } },
    files: { '/srv/roma/.env': 'sha256:5' },
  };
}

/** What a run writes before its first operation. */
export function sampleOpening(run: string): JournalOpening {
  return {
    run,
    at: '2026-11-24T03:15:00.000Z',
    procedure: 'code-update',
    invocation: lockRequest(run).invocation,
    workingDirectory: '/srv/roma',
    plan: {
      procedure: 'code-update',
      preparation: [{ kind: 'add-worktree', directory: '/srv/roma', path: '/tmp/w', commit: 'c'.repeat(40) }],
      services: [
        {
          service: 'roma',
          strategy: 'recreate',
          decision: { kind: 'change', reasons: ['image'] },
          notes: [],
          operations: [
            { kind: 'watch', service: 'roma', release: undefined, durationMs: 1000 },
            { kind: 'tag-image', service: 'roma', tag: 'roma:previous', to: 'sha256:1', from: undefined },
          ],
          estimatedDowntimeMs: undefined,
        },
      ],
    },
  };
}

/** The journal of a compose project as the program opens it. */
export function openJournal(options: Omit<Parameters<typeof createJournal>[0], 'codec'>): Journal {
  return createJournal({ ...options, codec: JOURNAL_CODEC });
}
