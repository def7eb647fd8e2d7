import type { Operation } from '../../src/operations/operation.js';
import { shownPlan, type Plan } from '../../src/operations/plan.js';
import type { RunReport, ServiceReport } from '../../src/model/report.js';

/** Reports as runs of the sample service would leave them. */

const OLD = '20261120T101500Z-1a2b3c';
const NEW = '20261124T031502Z-3f9a1c';
const OLD_IMAGE = `sha256:${'a1'.repeat(32)}`;
const NEW_IMAGE = `sha256:${'b2'.repeat(32)}`;
const COMMIT = 'c0ffee'.padEnd(40, '1');

const operations: readonly Operation[] = [
  { kind: 'capture-evidence', service: 'roma', moment: 'before' },
  {
    kind: 'keep-image',
    service: 'roma',
    image: OLD_IMAGE,
    tags: [`rolling-restart/roma-roma:${OLD}`, 'roma-builder:previous'],
  },
  { kind: 'move-checkout', directory: '/srv/roma', from: 'a'.repeat(40), to: COMMIT },
  { kind: 'tag-image', service: 'roma', tag: 'roma-builder:latest', to: NEW_IMAGE, from: OLD_IMAGE },
  { kind: 'replace-containers', service: 'roma', to: NEW, from: OLD, replicas: 1, force: false },
  { kind: 'await-ready', service: 'roma', release: NEW, timeoutMs: 95_000 },
  {
    kind: 'verify',
    service: 'roma',
    release: NEW,
    checks: ['state', 'identity', 'version', 'smoke-test', 'error-lines'],
  },
  { kind: 'watch', service: 'roma', release: NEW, durationMs: 300_000 },
  { kind: 'accept-release', service: 'roma', release: NEW },
];

const plan: Plan = {
  procedure: 'code-update',
  preparation: [
    { kind: 'add-worktree', directory: '/srv/roma', path: '/srv/roma/.git/rolling-restart/c0ffee', commit: COMMIT },
    {
      kind: 'run-command',
      name: 'build-command',
      command: 'pnpm install --frozen-lockfile && pnpm build',
      directory: '/srv/roma',
    },
    { kind: 'build-image', service: 'roma', tag: 'roma-builder:latest', pullBase: false },
  ],
  services: [
    {
      service: 'roma',
      strategy: 'recreate',
      decision: {
        kind: 'change',
        reasons: ['the image is another one (layers differ)', 'environment: LOG_LEVEL changed'],
      },
      notes: ['recreate stops the old container before the new one serves; a router would avoid the outage'],
      operations,
      estimatedDowntimeMs: 1_400,
    },
  ],
};

export const samplePlan = shownPlan(plan, String);

const roma: ServiceReport = {
  service: 'roma',
  outcome: 'deployed',
  release: NEW,
  previousRelease: OLD,
  imageDigest: `registry.example.com/roma-builder@${NEW_IMAGE}`,
  commit: COMMIT,
  version: '2.0.0',
  downtimeMs: 1_420,
  readyMs: 2_310,
  memoryBytes: 212e6,
  errorLines: 0,
  reasons: [],
};

export const deployed: RunReport = {
  schema: 'rolling-restart/report/v1',
  procedure: 'code-update',
  project: 'roma',
  dryRun: false,
  outcome: 'deployed',
  headline: `roma runs release ${NEW} (2.0.0), verified and watched for 5 min.`,
  changed: true,
  startedAt: '2026-11-24T03:15:00.000Z',
  durationMs: 341_000,
  invocation: {
    runId: '20261124T031500-123456789-9f86d081',
    actor: 'octocat via push',
    runUrl: 'https://github.com/acme/roma/actions/runs/123456789',
    sha: COMMIT,
    ref: 'refs/heads/main',
    attempt: 1,
    host: 'compose-1',
  },
  engine: { version: '26.1.5', compose: '2.26.1', name: 'compose-1' },
  services: [roma],
  plan: samplePlan,
  timeline: [
    { at: '2026-11-24T03:15:00.210Z', durationMs: 14, service: undefined, text: 'take the lock', status: 'done' },
    { at: '2026-11-24T03:15:01.000Z', durationMs: 3_900, service: 'roma', text: 'build roma', status: 'done' },
    {
      at: '2026-11-24T03:15:05.000Z',
      durationMs: 1_420,
      service: 'roma',
      text: 'replace the container of roma',
      status: 'done',
    },
    {
      at: '2026-11-24T03:15:07.000Z',
      durationMs: undefined,
      service: 'roma',
      text: 'the new release is live, watched for 5 min',
      status: 'note',
    },
    {
      at: '2026-11-24T03:20:07.000Z',
      durationMs: 300_000,
      service: 'roma',
      text: 'watch roma for 5 min',
      status: 'done',
    },
  ],
  warnings: [
    {
      sign: 'slow-start',
      severity: 'low',
      service: 'roma',
      message: 'roma needed 61 s until it was ready',
      at: '2026-11-24T03:16:05.000Z',
      action: 'warn',
    },
  ],
  checklists: [
    {
      title: 'Pre-restart checklist',
      items: [
        { text: 'Verified service health', state: 'done', detail: 'running and healthy' },
        { text: 'Checked for active jobs', state: 'not-asked', detail: undefined },
        { text: 'Saved current logs', state: 'done', detail: undefined },
      ],
    },
    {
      title: 'Post-restart checklist',
      items: [
        { text: 'Container status is running and healthy', state: 'done', detail: 'roma: healthy' },
        { text: 'Smoke tests pass', state: 'done', detail: 'roma: passed in 310 ms' },
      ],
    },
  ],
  slo: [
    { service: 'roma', metric: 'Restart time', target: '< 30 s', actual: '1.4 s', met: true },
    { service: 'roma', metric: 'Memory after restart', target: '< 500 MB', actual: '212 MB', met: true },
    { service: 'roma', metric: 'Error rate', target: '0%', actual: '0 lines', met: true },
    { service: 'roma', metric: 'Time to healthy', target: '< 10 s', actual: '61 s', met: false },
  ],
  traffic: {
    url: 'http://127.0.0.1:3000/health',
    ratePerSecond: 20,
    timeoutMs: 5_000,
    keepAlive: false,
    verdict: 'not-judged',
    reason: 'where the old container stops before the new one serves, requests fail',
    startedAt: '2026-11-24T03:15:05.000Z',
    durationMs: 3_000,
    requests: 60,
    failed: 28,
    failures: [
      { kind: 'refused', count: 27 },
      { kind: 'reset', count: 1 },
    ],
    firstFailures: [
      { at: '2026-11-24T03:15:05.412Z', kind: 'reset', said: 'socket hang up' },
      { at: '2026-11-24T03:15:05.460Z', kind: 'refused', said: 'connect ECONNREFUSED 127.0.0.1:3000' },
    ],
    longestGapMs: 1_420,
    longestGapAt: '2026-11-24T03:15:05.401Z',
    p50Ms: 2.1,
    p99Ms: 18.4,
    slowestMs: 21.3,
    retried: 0,
    latestSendMs: 4,
    bucketMs: 1_000,
    buckets: [
      { at: '2026-11-24T03:15:05.000Z', good: 8, failed: 12, versions: [{ version: '1.0.0', answers: 8 }] },
      { at: '2026-11-24T03:15:06.000Z', good: 4, failed: 16, versions: [{ version: '2.0.0', answers: 4 }] },
      { at: '2026-11-24T03:15:07.000Z', good: 20, failed: 0, versions: [{ version: '2.0.0', answers: 20 }] },
    ],
  },
  pullRequests: [
    { number: 42, title: 'Show the almanac <b>of the day</b>', url: 'https://github.com/acme/roma/pull/42' },
  ],
  commits: ['c0ffee1 Show the almanac of the day', 'beef002 Read <state> from `/app/.roma` | twice'],
  error: undefined,
  undoError: undefined,
  nextSteps: [],
  evidencePath: '/home/deploy/.local/state/rolling-restart/evidence/20261124T031500-123456789-9f86d081',
  findings: [],
  charts: [],
};

export const unchanged: RunReport = {
  ...deployed,
  outcome: 'unchanged',
  headline: 'roma is what was asked for already, running and healthy; nothing was restarted.',
  changed: false,
  durationMs: 2_100,
  services: [
    {
      ...roma,
      outcome: 'unchanged',
      release: OLD,
      previousRelease: undefined,
      downtimeMs: undefined,
      readyMs: undefined,
      reasons: ['same image, same configuration'],
    },
  ],
  plan: {
    procedure: 'code-update',
    preparation: [],
    services: [
      {
        service: 'roma',
        strategy: 'recreate',
        decision: { kind: 'unchanged', release: undefined },
        notes: [],
        operations: [],
        estimatedDowntimeMs: undefined,
      },
    ],
  },
  timeline: deployed.timeline.slice(0, 2),
  warnings: [],
  traffic: undefined,
  slo: [],
  commits: [],
  pullRequests: [],
};

export const rolledBack: RunReport = {
  ...deployed,
  outcome: 'rolled-back',
  headline: `The new release failed its smoke test; roma runs ${OLD} again, verified.`,
  changed: false,
  services: [
    { ...roma, outcome: 'rolled-back', release: OLD, previousRelease: undefined, errorLines: 2, version: '1.0.0' },
  ],
  error: {
    code: 'E_VERIFICATION',
    message: 'smoke-test failed with exit code 1',
    next: 'Look at the output below, correct the code, and deploy again.',
    excerpt: [
      {
        title: 'smoke-test (last lines)',
        lines: [
          'GET /onthisday',
          '```',
          '</details><script>alert(1)</script>',
          '::error::injected',
          '500 Internal Server Error',
        ],
      },
    ],
  },
  timeline: [
    ...deployed.timeline.slice(0, 3),
    {
      at: '2026-11-24T03:15:08.000Z',
      durationMs: 310,
      service: 'roma',
      text: 'verify roma: smoke-test',
      status: 'failed',
    },
    {
      at: '2026-11-24T03:15:09.000Z',
      durationMs: 1_390,
      service: 'roma',
      text: `replace the container of roma: stop ${NEW}, start ${OLD}`,
      status: 'undone',
    },
  ],
  nextSteps: ['Read the smoke test output above.', 'Push a correction; the same commit is refused without force.'],
};

export const refused: RunReport = {
  ...deployed,
  outcome: 'refused',
  headline: 'Nothing was changed: tracked files in /srv/roma are modified.',
  changed: false,
  durationMs: 640,
  services: [],
  plan: undefined,
  timeline: deployed.timeline.slice(0, 1),
  warnings: [],
  traffic: undefined,
  slo: [],
  commits: [],
  pullRequests: [],
  checklists: [],
  error: {
    code: 'E_GATE',
    message: 'Tracked files are modified:\n- docker-compose.yml\n- src/main.js',
    next: 'Commit or discard the changes, then run again.',
    excerpt: [],
  },
  nextSteps: ['Commit or discard the changes in /srv/roma.'],
  evidencePath: undefined,
};

export const dryRun: RunReport = {
  ...deployed,
  dryRun: true,
  outcome: 'completed',
  headline: 'code-update would replace roma.',
  changed: false,
  durationMs: 1_900,
  services: [{ ...roma, outcome: 'completed', downtimeMs: undefined, readyMs: undefined, memoryBytes: undefined }],
  warnings: [],
  traffic: undefined,
  slo: [],
  nextSteps: ['Run it again without dry-run.'],
  findings: [
    {
      title: 'Releases to go back to',
      columns: ['Release', 'From', 'Image'],
      rows: [
        [OLD, 'git:main', 'there'],
        ['20261101T000000Z-000001', 'git:v1.0.0', 'gone'],
      ],
    },
  ],
};

export const samples = { deployed, unchanged, rolledBack, refused, dryRun };
