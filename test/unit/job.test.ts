import { describe, expect, it } from 'vitest';
import {
  allSucceeded,
  isProven,
  isWell,
  jobReasons,
  lifetimeOf,
  releaseAtRest,
  replicasBack,
  restOf,
  type JobContainer,
  type Lifetime,
} from '../../src/model/job.js';
import { NO_SERVICE_POLICY, type ProjectPolicy } from '../../src/model/project-policy.js';
import type { ReleaseEvent, ServiceHistory } from '../../src/model/release.js';
import { replicasAmong, wantedReplicas } from '../../src/model/replicas.js';
import type { Dependency, ContainerState, ServiceDefinition } from '../../src/model/service.js';
import { decide, type CurrentFacts, type WantedFacts } from '../../src/strategies/decide.js';
import { chooseStrategy } from '../../src/strategies/index.js';
import type { ServiceFacts } from '../../src/strategies/obstacles.js';
import { planRecovery } from '../../src/strategies/recovery.js';
import { withoutDefinition } from '../../src/model/ports/ledger.js';
import type { JournalRecord } from '../../src/operations/journal.js';
import type { Operation } from '../../src/operations/operation.js';
import type { Candidate } from '../../src/steps/candidate.js';
import { recreated } from '../../src/steps/maintenance/perform.js';
import { isAtRest } from '../../src/steps/show-plan.js';
import { sampleRelease } from '../support/ledger-samples.js';

const BARE = {
  name: 'it',
  restart: 'no',
  ports: [],
  healthCheck: undefined,
  dependsOn: [],
  environment: {},
  raw: {},
  replicas: 1,
} as unknown as ServiceDefinition;
const CHECK = { test: ['CMD', 'true'], intervalMs: 1, timeoutMs: 1, startPeriodMs: 0, startIntervalMs: 1, retries: 1 };
const NO_POLICY: ProjectPolicy = { services: {} };

describe('what the end of a service means', () => {
  const port = { target: 80, published: '80', protocol: 'tcp', hostIp: undefined } as const;
  const waiting = (condition: Dependency['condition']): ServiceDefinition => ({
    ...BARE,
    name: 'web',
    restart: 'always',
    dependsOn: [{ service: 'it', condition, restart: false }],
  });
  const withPolicy = (policy: Partial<typeof NO_SERVICE_POLICY>): ProjectPolicy => ({
    services: { it: { ...NO_SERVICE_POLICY, ...policy } },
  });

  it.each<[string, ServiceDefinition, readonly ServiceDefinition[], ProjectPolicy, Lifetime]>([
    ['others wait for its end', BARE, [waiting('service_completed_successfully')], NO_POLICY, 'ends'],
    [
      'others wait for its end, and it has a restart policy and ports',
      { ...BARE, restart: 'on-failure', ports: [port] },
      [waiting('service_completed_successfully')],
      NO_POLICY,
      'ends',
    ],
    ['nothing says that it serves', BARE, [], NO_POLICY, 'may-end'],
    ['others only wait for its start', BARE, [waiting('service_started')], NO_POLICY, 'may-end'],
    ['a restart policy', { ...BARE, restart: 'unless-stopped' }, [], NO_POLICY, 'stays'],
    ['a published port', { ...BARE, ports: [port] }, [], NO_POLICY, 'stays'],
    ['a health check', { ...BARE, healthCheck: CHECK }, [], NO_POLICY, 'stays'],
    ['a router of the policy', BARE, [], withPolicy({ router: { kind: 'edge' } }), 'stays'],
    ['no router by the policy', BARE, [], withPolicy({ router: { kind: 'none' } }), 'may-end'],
    ['readiness by the policy', BARE, [], withPolicy({ readiness: { kind: 'command', command: 'true' } }), 'stays'],
    ['labels of a proxy', { ...BARE, raw: { labels: { 'traefik.enable': 'true' } } }, [], NO_POLICY, 'stays'],
  ])('%s', (_what, it, others, policy, expected) => {
    const services = Object.fromEntries([it, ...others].map((one) => [one.name, one]));
    expect(lifetimeOf({ services, policy }, 'it')).toBe(expected);
  });

  it('is that of a service for a name that the file does not have', () => {
    expect(lifetimeOf({ services: {}, policy: NO_POLICY }, 'it')).toBe('stays');
  });
});

const at = (seconds: number): string => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString();

const container = (state: ContainerState, exitCode = 0, change: Partial<JobContainer> = {}): JobContainer => ({
  state,
  exitCode,
  finishedAt: at(10),
  health: 'none',
  healthCheck: undefined,
  ...change,
});

describe('a container', () => {
  // Columns: well for anybody who looks; passed after it was waited for; done its work.
  it.each<[Lifetime, JobContainer, boolean, boolean, boolean]>([
    ['stays', container('running'), true, true, false],
    ['stays', container('exited', 0), false, false, false],
    ['stays', container('exited', 1), false, false, false],
    ['stays', container('running', 0, { health: 'unhealthy' }), false, false, false],
    ['ends', container('running'), true, false, false],
    ['ends', container('exited', 0), true, true, true],
    ['ends', container('exited', 1), false, false, false],
    ['ends', container('created'), false, false, false],
    ['ends', container('dead', 0), false, false, false],
    ['may-end', container('running'), true, true, false],
    ['may-end', container('exited', 0), true, true, true],
    ['may-end', container('exited', 137), false, false, false],
    ['may-end', container('created'), false, false, false],
    ['may-end', container('restarting'), false, false, false],
    ['may-end', container('exited', 0, { healthCheck: CHECK }), false, false, false],
  ])('of a service that %s: %o', (lifetime, one, well, proven, succeeded) => {
    expect(isWell(lifetime, one)).toBe(well);
    expect(isProven(lifetime, one)).toBe(proven);
    expect(allSucceeded(lifetime, [one])).toBe(succeeded);
  });

  it('is not all of them', () => {
    expect(allSucceeded('ends', [])).toBe(false);
    expect(allSucceeded('ends', [container('exited', 0), container('exited', 1)])).toBe(false);
  });
});

const release = { ...withoutDefinition(sampleRelease('20260101T000000Z-aaaaaa')), replicas: 1 };
const event = (kind: ReleaseEvent['kind'], seconds: number): ReleaseEvent => ({
  at: at(seconds),
  kind,
  service: 'it',
  release: release.id,
  reason: '',
  run: undefined,
  restartMs: undefined,
});
const history = (...events: ReleaseEvent[]): ServiceHistory => ({ releases: [release], events });
const LIVE = event('live', 1);
const COMPLETED = event('completed', 2);

describe('what rests', () => {
  const zero = { ...release, replicas: 0 };

  it.each<[string, Lifetime, readonly JobContainer[], ServiceHistory, string | undefined]>([
    ['an ended job', 'ends', [container('exited')], history(LIVE), 'completed'],
    ['an ended job, removed', 'ends', [], history(LIVE, COMPLETED), 'completed'],
    ['a removed job that the ledger does not know the end of', 'ends', [], history(LIVE), undefined],
    ['a job that was only created', 'ends', [container('created')], history(LIVE, COMPLETED), undefined],
    ['a failed job', 'ends', [container('exited', 1)], history(LIVE), undefined],
    ['a job that runs', 'ends', [container('running')], history(LIVE), undefined],
    ['a worker', 'may-end', [container('running')], history(LIVE), undefined],
    ['an ended job nobody waits for', 'may-end', [container('exited')], history(LIVE), 'completed'],
    ['a worker that was stopped', 'may-end', [container('exited')], history(LIVE, event('stopped', 9)), undefined],
    [
      'a job that ended before the stop',
      'may-end',
      [container('exited')],
      history(LIVE, event('stopped', 11)),
      'completed',
    ],
    [
      'a job that ended after it was started again',
      'may-end',
      [container('exited')],
      history(LIVE, event('stopped', 5), event('started', 6)),
      'completed',
    ],
    ['a service that ended', 'stays', [container('exited')], history(LIVE), undefined],
    ['a service without containers', 'stays', [], history(LIVE, COMPLETED), undefined],
  ])('%s', (_what, lifetime, containers, known, expected) => {
    expect(restOf(lifetime, { containers, release, history: known })).toBe(expected);
  });

  it('is a service with zero replicas and no container', () => {
    expect(restOf('stays', { containers: [], release: zero, history: history(LIVE) })).toBe('none-wanted');
    const running = [container('running')];
    expect(restOf('stays', { containers: running, release: zero, history: history(LIVE) })).toBeUndefined();
    expect(restOf('stays', { containers: [], release: undefined, history: history() })).toBeUndefined();
  });

  it('has a live release without a container', () => {
    expect(releaseAtRest(history(LIVE, COMPLETED))?.id).toBe(release.id);
    expect(releaseAtRest({ releases: [zero], events: [LIVE] })?.id).toBe(release.id);
    expect(releaseAtRest(history(LIVE))).toBeUndefined();
    expect(releaseAtRest(history())).toBeUndefined();
  });
});

describe('a release that comes back', () => {
  it.each<[string, Lifetime, ServiceHistory, number]>([
    ['of a service runs again', 'stays', history(LIVE), 1],
    ['of a job that others wait for does not', 'ends', history(LIVE), 0],
    ['of a job that has completed does not', 'may-end', history(LIVE, COMPLETED), 0],
    ['of a worker runs again', 'may-end', history(LIVE), 1],
  ])('%s', (_what, lifetime, known, expected) => {
    expect(replicasBack(lifetime, release, known)).toBe(expected);
  });
});

const wanted: WantedFacts = {
  configHash: release.configHash,
  composeHash: release.composeHash,
  fingerprint: release.image.fingerprint,
  commit: undefined,
  replicas: 1,
  files: {},
  lifetime: 'ends',
  otherContents: [],
  takenOverFrom: undefined,
};
const current = (containers: readonly JobContainer[], known: ServiceHistory): CurrentFacts => ({
  release,
  accepted: true,
  history: known,
  files: {},
  containers: containers.map(
    (one) =>
      ({
        ...one,
        name: 'it-1',
        fingerprint: release.image.fingerprint,
        composeHash: release.composeHash,
      }) as CurrentFacts['containers'][number],
  ),
});

describe('a job', () => {
  const UNCHANGED = 'unchanged';

  it.each<[string, Lifetime, CurrentFacts, string]>([
    ['that ended', 'ends', current([container('exited')], history(LIVE)), UNCHANGED],
    ['that ended and was removed', 'ends', current([], history(LIVE, COMPLETED)), UNCHANGED],
    ['that runs', 'ends', current([container('running')], history(LIVE)), UNCHANGED],
    ['that failed', 'ends', current([container('exited', 3)], history(LIVE)), 'its last run ended with exit code 3'],
    ['only created', 'ends', current([container('created')], history(LIVE)), 'it was created, and has not run'],
    ['without a container', 'ends', current([], history(LIVE)), 'it has not run'],
    [
      'that was stopped',
      'may-end',
      current([container('exited')], history(LIVE, event('stopped', 5))),
      'it was stopped before its end',
    ],
    ['nobody waits for, ended', 'may-end', current([container('exited')], history(LIVE)), UNCHANGED],
    ['nobody waits for, running', 'may-end', current([container('running')], history(LIVE)), UNCHANGED],
    [
      'nobody waits for, failed',
      'may-end',
      current([container('exited', 1)], history(LIVE)),
      'its last run ended with exit code 1',
    ],
    ['that is a service', 'stays', current([container('exited')], history(LIVE)), 'it-1 is exited with exit code 0'],
  ])('%s: %s', (_what, lifetime, facts, expected) => {
    const decision = decide({ ...wanted, lifetime }, facts);
    expect(decision.kind === 'change' ? decision.reasons.join() : decision.kind).toBe(expected);
  });

  it('runs when its definition, its image or its files changed, with or without its container', () => {
    for (const containers of [[container('exited')], []]) {
      const facts = current(containers, history(LIVE, COMPLETED));
      for (const change of [
        { configHash: 'x', composeHash: 'x' },
        { fingerprint: 'x' },
        { configHash: 'x', files: { a: 'x' } },
      ]) {
        expect(decide({ ...wanted, ...change }, facts).kind).toBe('change');
      }
    }
  });

  it('says why it runs', () => {
    expect(jobReasons('ends', current([container('running')], history(LIVE)))).toEqual([]);
  });

  it('is replaced in place, whatever strategy is asked for', () => {
    const facts = { definition: BARE, router: { kind: 'none' }, observed: [container('exited')], lifetime: 'ends' };
    for (const asked of ['auto', 'rolling', 'blue-green', 'canary', 'hold', 'recreate'] as const) {
      const { strategy, notes } = chooseStrategy(asked, facts as unknown as ServiceFacts, 1);
      expect([strategy.name, notes[0]]).toEqual(['recreate', expect.stringContaining('runs once')]);
      const back = chooseStrategy(asked, facts as unknown as ServiceFacts, 0);
      expect([back.strategy.name, back.notes[0]]).toEqual(['recreate', expect.stringContaining('not run again')]);
    }
  });
});

/**
 * What procedures ask: a deploy whether something changes, a full restart and a maintenance whether it is started again though
 * nothing changed, the other restarts and a start whether it rests, a rollback and an undo how many containers come back.
 */
describe('each kind of service and each procedure', () => {
  const [OLD, DONE] = [history(LIVE), history(LIVE, COMPLETED)];

  // Columns: deploy of the same; full restart; maintenance; health-restart, emergency or start; rollback or undo.
  it.each<[Lifetime, string, readonly JobContainer[], ServiceHistory, boolean, boolean, boolean, boolean, number]>([
    ['stays', 'running', [container('running')], OLD, false, true, true, true, 1],
    ['stays', 'ended with 0', [container('exited')], OLD, true, true, true, true, 1],
    ['stays', 'ended with 1', [container('exited', 1)], OLD, true, true, true, true, 1],
    ['ends', 'running', [container('running')], OLD, false, true, false, true, 0],
    ['ends', 'ended with 0', [container('exited')], OLD, false, false, false, false, 0],
    ['ends', 'ended with 0 and removed', [], DONE, false, false, false, false, 0],
    ['ends', 'ended with 1', [container('exited', 1)], OLD, true, true, true, true, 0],
    ['ends', 'only created', [container('created')], OLD, true, true, true, true, 0],
    ['may-end', 'running', [container('running')], OLD, false, true, true, true, 1],
    ['may-end', 'ended with 0', [container('exited')], DONE, false, false, false, false, 0],
    ['may-end', 'ended with 0 and removed', [], DONE, false, false, false, false, 0],
    ['may-end', 'ended with 1', [container('exited', 1)], OLD, true, true, true, true, 1],
    ['may-end', 'only created', [container('created')], OLD, true, true, true, true, 1],
  ])('%s, %s', (lifetime, _state, containers, known, deploys, full, maintains, restarts, back) => {
    const facts = current(containers, known);
    const decision = decide({ ...wanted, lifetime }, facts);
    expect(decision.kind !== 'unchanged').toBe(deploys);
    const candidate = { lifetime, replicas: 1, current: facts, decision } as unknown as Candidate;
    expect(deploys || !isAtRest(candidate)).toBe(full);
    expect(recreated(candidate).decision.kind !== 'unchanged').toBe(maintains);
    expect(restOf(lifetime, facts) === undefined).toBe(restarts);
    expect(replicasBack(lifetime, release, known)).toBe(back);
  });
});

describe('zero replicas', () => {
  const none = { ...wanted, lifetime: 'stays' as const, replicas: 0 };

  it('are reached when there is no container', () => {
    expect(decide(none, { ...current([], history(LIVE)), release: undefined }).kind).toBe('unchanged');
    expect(decide(none, { ...current([], history(LIVE)), release: { ...release, replicas: 0 } }).kind).toBe(
      'unchanged',
    );
    expect(decide(none, current([container('running')], history(LIVE)))).toEqual({
      kind: 'change',
      reasons: ['1 of 0 containers exist'],
    });
    const more = decide({ ...none, replicas: 1 }, current([], history(LIVE)));
    expect(more).toEqual({ kind: 'change', reasons: ['nothing of it runs'] });
  });

  it('are what the file says, and a person’s scaling does not change them', () => {
    const silent = { ...BARE, raw: {} };
    expect(wantedReplicas({ ...BARE, replicas: 0, raw: { scale: 0 } }, 'stays', 2)).toBe(0);
    expect(wantedReplicas({ ...BARE, replicas: 0, raw: { deploy: { replicas: 0 } } }, 'ends', 1)).toBe(0);
    expect(wantedReplicas(silent, 'stays', 3)).toBe(3);
    expect(wantedReplicas(silent, 'stays', 0)).toBe(1);
    expect(wantedReplicas(silent, 'ends', 3)).toBe(1);
  });
});

describe('replicas among containers', () => {
  const one = (name: string, state: ContainerState): { name: string; state: ContainerState } => ({ name, state });

  it.each<[string, { name: string; state: ContainerState }[], string[]]>([
    ['no leftover', [one('p-web-1', 'running'), one('p-web-2', 'exited')], []],
    [
      'a successor that was not started',
      [one('p-web-1', 'running'), one('0123456789ab_p-web-1', 'created')],
      ['0123456789ab_p-web-1'],
    ],
    ['a successor alone, not started', [one('0123456789ab_p-web-1', 'created')], ['0123456789ab_p-web-1']],
    ['both run', [one('p-web-1', 'running'), one('0123456789ab_p-web-1', 'running')], ['0123456789ab_p-web-1']],
    ['it runs alone: it serves', [one('0123456789ab_p-web-1', 'running')], []],
    ['it runs beside one that does not', [one('p-web-1', 'created'), one('0123456789ab_p-web-1', 'running')], []],
    ['a name that only looks alike', [one('0123456789a_web', 'created'), one('0123456789xy_web', 'created')], []],
  ])('%s', (_what, containers, leftovers) => {
    const found = replicasAmong(containers);
    expect(found.leftovers.map(({ name }) => name)).toEqual(leftovers);
    expect(found.replicas).toHaveLength(containers.length - leftovers.length);
  });
});

describe('recovery of a job', () => {
  const replace = (from: string | undefined): Operation => ({
    kind: 'replace-containers',
    service: 'it',
    to: 'B',
    from,
    replicas: 1,
    force: true,
  });
  const record = (from: string | undefined): JournalRecord =>
    ({ opening: {}, entries: [{ sequence: 1, operation: replace(from), result: 'done' }] }) as unknown as JournalRecord;
  const recovered = (from: string | undefined, ended: readonly string[]): string | undefined =>
    planRecovery(record(from), new Set(), new Set(ended)).services['it']?.kind;

  it('accepts what has ended well, and undoes what has not', () => {
    expect(recovered('A', ['it'])).toBe('accept');
    expect(recovered('A', [])).toBe('go-back');
    expect(recovered(undefined, ['it'])).toBe('accept');
    expect(recovered(undefined, [])).toBe('leave');
  });
});
